/** The platform did something that the contract forbids. */
export class Violation extends Error {
  readonly invariant: Invariant;

  constructor(invariant: Invariant, message: string) {
    super(`${invariant}: ${message}`);
    this.name = "Violation";
    this.invariant = invariant;
  }
}

export type Invariant =
  /** per client and viewer, `ONLINE` and `OFFLINE` take turns */
  | "alternation"
  /** within an epoch, versions rise, and sequence numbers leave no hole that goes unnoticed */
  | "order"
  /** no `OFFLINE` for a client whose server sent heartbeats in time */
  | "false-offline"
  /** a client that fell silent becomes `OFFLINE` within the bound */
  | "late-offline"
  /** at rest, what is announced is what the leases say */
  | "truth-at-rest"
  /** at rest, every viewer's picture is what the leases say */
  | "picture-at-rest"
  /** a server is told of no client that it never watched */
  | "privacy"
  /** nothing is left of clients and servers that are gone */
  | "leftovers"
  /** no call runs more commands inside Redis than it may */
  | "budget"
  /** a server does not say "ready" while its viewers are wrong for longer than the contract allows */
  | "readiness";
