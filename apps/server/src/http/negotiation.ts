import type { Request } from "express";
import { plainProblem } from "./http-problem.ts";

/** Refuses a request that wants something else than `type`. */
export function requireAccepts(request: Request, type: string): void {
  if (!request.accepts(type)) throw plainProblem(406, `This is ${type}; the Accept header asks for something else.`);
}
