import { CLIENT_ID_RULE, type ClientId, isClientId } from "@presence/protocol";
import { createProblem } from "../problems.ts";
import { HttpProblem } from "./http-problem.ts";

/** `value`, if it is a legal client id. */
export function requireClientId(value: unknown): ClientId {
  if (isClientId(value)) return value;
  throw new HttpProblem(
    createProblem("urn:presence:problem:invalid-client-id", 400, `A client id is ${CLIENT_ID_RULE}, never encoded.`),
  );
}
