/** An error as `application/problem+json` (RFC 9457). */
export interface Problem {
  type: ProblemType;
  title: string;
  status: number;
  /** What went wrong and what to do about it, for a person. */
  detail: string;
}

/** Problem types are stable names that programs may branch on; `about:blank` where the status says it all. */
export type ProblemType =
  | "about:blank"
  | "urn:presence:problem:invalid-client-id"
  | "urn:presence:problem:invalid-body"
  | "urn:presence:problem:token-missing"
  | "urn:presence:problem:token-invalid"
  | "urn:presence:problem:token-expired"
  | "urn:presence:problem:signed-out"
  | "urn:presence:problem:connection-unknown"
  | "urn:presence:problem:presence-lost"
  | "urn:presence:problem:shutting-down"
  | "urn:presence:problem:server-full"
  | "urn:presence:problem:contact-list-too-long";
