import { CLIENT_ID_RULE } from "./client-id.ts";

/** An error as `application/problem+json` (RFC 9457). */
export interface Problem {
  type: ProblemType;
  title: string;
  status: number;
  /** What went wrong and what the user can do. */
  detail: string;
}

/** Stable names that programs may branch on. `about:blank` means that the HTTP status says everything. */
export type ProblemType = "about:blank" | DefinedProblemType;

export type DefinedProblemType = keyof typeof PROBLEMS;

/** All problem types of this product. `detail` is the default: a server may send a more precise one. */
const PROBLEMS = {
  "urn:presence:problem:invalid-client-id": {
    status: 400,
    title: "Invalid client id",
    detail: `A client id is ${CLIENT_ID_RULE}, never percent-encoded.`,
  },
  "urn:presence:problem:invalid-body": {
    status: 400,
    title: "Invalid request body",
    detail: "The request body is not what this request takes.",
  },
  "urn:presence:problem:token-missing": {
    status: 401,
    title: "Token missing",
    detail: "Send a token as Authorization: Bearer …",
  },
  "urn:presence:problem:token-invalid": {
    status: 401,
    title: "Token invalid",
    detail: "This server does not accept the token. Sign in again.",
  },
  "urn:presence:problem:token-expired": {
    status: 401,
    title: "Token expired",
    detail: "The token has expired. Sign in again.",
  },
  "urn:presence:problem:signed-out": {
    status: 401,
    title: "Signed out",
    detail: "This session has been signed out. Sign in again.",
  },
  "urn:presence:problem:connection-unknown": {
    status: 404,
    title: "Unknown connection",
    detail: "This server has no such connection. Connect again.",
  },
  "urn:presence:problem:contact-list-too-long": {
    status: 422,
    title: "Contact list too long",
    detail: "This contact list has too many contacts.",
  },
  "urn:presence:problem:presence-lost": {
    status: 503,
    title: "Presence unavailable",
    detail: "This server cannot read presence at the moment. Connect again shortly.",
  },
  "urn:presence:problem:shutting-down": {
    status: 503,
    title: "Shutting down",
    detail: "This server is shutting down. Connect again in a moment.",
  },
  "urn:presence:problem:server-full": {
    status: 503,
    title: "Server full",
    detail: "This server is full. Connect again in some seconds.",
  },
} as const;

/** A problem of a defined type, with the default detail unless another one is given. */
export function createProblem(type: DefinedProblemType, detail: string = PROBLEMS[type].detail): Problem {
  const { status, title } = PROBLEMS[type];
  return { type, title, status, detail };
}
