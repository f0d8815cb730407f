import type { Problem } from "@presence/protocol";
import { parseRetryAfterMs } from "./retry-after.ts";

const TOO_MANY_REQUESTS = 429;

/** The server refused, and said why. */
export class ProblemError extends Error {
  readonly problem: Problem;
  /** How long it asks to stay away, where it asks. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs: number | undefined) {
    super(problem.detail);
    this.name = "ProblemError";
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What an error response says; where its body is no problem, one made from the status. */
export async function problemErrorOf(response: Response): Promise<ProblemError> {
  const body: unknown = await response.json().catch(() => undefined);
  const problem = isProblem(body) ? body : unexplained(response.status);
  return new ProblemError(problem, parseRetryAfterMs(response.headers.get("Retry-After"), Date.now()));
}

/** Whether there is no room at the moment: for anybody, for this address or for this client. */
export function saysFull({ status, type }: Problem): boolean {
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

function unexplained(status: number): Problem {
  return {
    type: "about:blank",
    title: "The server couldn't answer",
    status,
    detail: `The server answered with status ${status} and no explanation. Try again in a moment.`,
  };
}
