import type { Problem } from "@presence/protocol";

/** The server refused, and said why. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = "ProblemError";
    this.problem = problem;
  }
}

/** The problem that an error response describes; where its body is no problem, one made from the status. */
export async function readProblem(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => undefined);
  return isProblem(body) ? body : unexplained(response.status);
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
