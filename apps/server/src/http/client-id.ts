import { type ClientId, createProblem, isClientId } from "@presence/protocol";
import { HttpProblem } from "./http-problem.ts";

/**
 * Returns `value` if it is a valid client id.
 *
 * @throws {HttpProblem} 400
 */
export function requireClientId(value: unknown): ClientId {
  if (isClientId(value)) return value;
  throw new HttpProblem(createProblem("urn:presence:problem:invalid-client-id"));
}
