import type { Problem, ProblemType } from "@presence/protocol";

const TITLES: Record<ProblemType, string> = {
  "about:blank": "",
  "urn:presence:problem:invalid-client-id": "Not a client id",
  "urn:presence:problem:invalid-body": "Not a body this request takes",
  "urn:presence:problem:token-missing": "A token is needed",
  "urn:presence:problem:token-invalid": "The token doesn't count",
  "urn:presence:problem:token-expired": "The token has expired",
  "urn:presence:problem:signed-out": "Signed out",
  "urn:presence:problem:connection-unknown": "No such connection",
  "urn:presence:problem:presence-lost": "Presence is not known",
  "urn:presence:problem:shutting-down": "Shutting down",
  "urn:presence:problem:server-full": "The server is full",
  "urn:presence:problem:contact-list-too-long": "The contact list is too long",
};

/** A problem of a type of our own. */
export function createProblem(type: Exclude<ProblemType, "about:blank">, status: number, detail: string): Problem {
  return { type, title: TITLES[type], status, detail };
}

export const SIGNED_OUT: Problem = createProblem(
  "urn:presence:problem:signed-out",
  401,
  "This session has been signed out. Sign in again.",
);

export const TOKEN_EXPIRED: Problem = createProblem(
  "urn:presence:problem:token-expired",
  401,
  "The token has expired. Sign in again.",
);

export const PRESENCE_LOST: Problem = createProblem(
  "urn:presence:problem:presence-lost",
  503,
  "This server can't tell who is online at the moment. Connect again shortly.",
);

export const SHUTTING_DOWN: Problem = createProblem(
  "urn:presence:problem:shutting-down",
  503,
  "This server is shutting down. Connect again in a moment.",
);
