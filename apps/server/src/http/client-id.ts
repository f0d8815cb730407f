import { type ClientId, createProblem, isClientId } from "@presence/protocol";
import { HttpProblem } from "./http-problem.ts";

/** `value`, if it is a legal client id. */
export function requireClientId(value: unknown): ClientId {
  if (isClientId(value)) return value;
  throw new HttpProblem(createProblem("urn:presence:problem:invalid-client-id"));
}
