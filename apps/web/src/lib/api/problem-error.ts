import type { Problem } from "@presence/protocol";
import { parseRetryAfterMs } from "./retry-after.ts";

const TOO_MANY_REQUESTS = 429;

/** An error response of the server. */
export class ProblemError extends Error {
  readonly problem: Problem;
  /** From the `Retry-After` header; `undefined` without one. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs: number | undefined) {
    super(problem.detail);
    this.name = "ProblemError";
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Reads an error response. If its body isn't a problem document, the problem is made from the status. */
export async function problemErrorOf(response: Response): Promise<ProblemError> {
  const body: unknown = await response.json().catch(() => undefined);
  const problem = isProblem(body) ? body : problemOfStatus(response.status);
  return new ProblemError(problem, parseRetryAfterMs(response.headers.get("Retry-After"), Date.now()));
}

/** Whether a connection limit is reached: the server's, the address's or the client's. */
export function isServerFull({ status, type }: Problem): boolean {
  return status === TOO_MANY_REQUESTS || type === "urn:presence:problem:server-full";
}

function isProblem(body: unknown): body is Problem {
  return (
    typeof body === "object" &&
    body !== null &&
    "type" in body &&
    typeof body.type === "string" &&
    "title" in body &&
    typeof body.title === "string" &&
    "detail" in body &&
    typeof body.detail === "string" &&
    "status" in body &&
    typeof body.status === "number"
  );
}

function problemOfStatus(status: number): Problem {
  return {
    type: "about:blank",
    title: "The server reported an error",
    status,
    detail: `The server answered with status ${status} and gave no reason. Try again in a moment.`,
  };
}
