import type { Request } from "express";
import { plainProblem } from "./http-problem.ts";

/** @throws {HttpProblem} 406 if the `Accept` header does not allow `type` */
export function requireAccepts(request: Request, type: string): void {
  if (!request.accepts(type))
    throw plainProblem(406, `The response is ${type}, which the Accept header does not allow.`);
}
