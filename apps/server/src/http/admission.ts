import type { Socket } from "node:net";
import { type ClientId, createProblem } from "@presence/protocol";
import { HttpProblem, plainProblem } from "./http-problem.ts";
import { OpenSockets, socketLimits } from "./open-sockets.ts";
import { RateLimit } from "./rate-limit.ts";

/** How much a server takes on. Of connections, whoever has one keeps it; only further ones are refused. */
export interface AdmissionLimits {
  maxConnections: number;
  /** Loopback addresses are exempt: who is on this machine has no address of its own, and no need of one. */
  maxConnectionsPerAddress: number;
  maxConnectionsPerClient: number;
  /** Of all addresses together: a herd is let in at the pace that a server can bear. */
  maxNewConnectionsPerSecond: number;
  /** Of one address; loopback is exempt. */
  maxRequestsPerSecond: number;
}

export interface AdmissionOptions {
  limits: AdmissionLimits;
  /** How many files, sockets among them, the process may have open. */
  openFiles: number;
  /** Told of each refusal. */
  onRefusal: (reason: RefusalReason) => void;
}

/** What was too much, as metrics name it. */
export type RefusalReason =
  | "connections"
  | "connections-of-address"
  | "connections-of-client"
  | "arrivals"
  | "requests"
  | "open-files";

/** From how many addresses on those that have gone quiet are forgotten. */
const REMEMBERED_ADDRESSES = 10_000;
const RETRY_AFTER_SECONDS = { least: 1, most: 5 };
const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;

/** Counts connections and requests, and refuses what is too much. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #sockets: OpenSockets;
  readonly #onRefusal: (reason: RefusalReason) => void;
  readonly #arrivals: RateLimit;
  readonly #requests = new Map<string, RateLimit>();
  readonly #connectionsOfAddress = new Counts();
  readonly #connectionsOfClient = new Counts();
  #connections = 0;

  constructor({ limits, openFiles, onRefusal }: AdmissionOptions) {
    this.#limits = limits;
    this.#sockets = new OpenSockets(socketLimits(openFiles), () => onRefusal("open-files"));
    this.#onRefusal = onRefusal;
    this.#arrivals = new RateLimit(limits.maxNewConnectionsPerSecond, performance.now());
  }

  /** A client has opened a socket, by which nothing was asked yet. */
  open(socket: Socket): void {
    this.#sockets.add(socket);
  }

  /** @throws {HttpProblem} 429 where the address asks too often */
  request(address: string): void {
    if (LOOPBACK.test(address)) return;
    const nowMs = performance.now();
    let rate = this.#requests.get(address);
    if (!rate) {
      if (this.#requests.size >= REMEMBERED_ADDRESSES) this.#forgetQuietAddresses(nowMs);
      rate = new RateLimit(this.#limits.maxRequestsPerSecond, nowMs);
      this.#requests.set(address, rate);
    }
    if (!rate.take(nowMs)) this.#refuse("requests");
  }

  /**
   * A response that will carry streams: to be called before anything is done for it.
   *
   * @returns to be called when it has ended
   * @throws {HttpProblem} 503 where too many come at once, or files run out; 429 where the address has too many
   */
  arrive(address: string): () => void {
    if (this.#sockets.areCrowded) this.#refuse("open-files");
    if (!this.#arrivals.take(performance.now())) this.#refuse("arrivals");
    if (this.#connections >= this.#limits.maxConnections) this.#refuse("connections");
    if (LOOPBACK.test(address)) return () => {};
    if (this.#connectionsOfAddress.of(address) >= this.#limits.maxConnectionsPerAddress) {
      this.#refuse("connections-of-address");
    }
    return this.#connectionsOfAddress.add(address);
  }

  /**
   * A stream of a client, be it one of several in a response.
   *
   * @returns to be called when it has ended
   * @throws {HttpProblem} 503 where the server is full, 429 where the client has too many
   */
  join(client: ClientId): () => void {
    if (this.#connections >= this.#limits.maxConnections) this.#refuse("connections");
    if (this.#connectionsOfClient.of(client) >= this.#limits.maxConnectionsPerClient) {
      this.#refuse("connections-of-client");
    }
    const leave = this.#connectionsOfClient.add(client);
    this.#connections += 1;
    return () => {
      leave();
      this.#connections -= 1;
    };
  }

  #refuse(reason: RefusalReason): never {
    this.#onRefusal(reason);
    throw refusal(reason);
  }

  #forgetQuietAddresses(nowMs: number): void {
    for (const [address, rate] of this.#requests) if (rate.isIdle(nowMs)) this.#requests.delete(address);
  }
}

/** How often each name was added and not taken back. */
class Counts {
  readonly #counts = new Map<string, number>();

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** @returns takes it back */
  add(name: string): () => void {
    this.#counts.set(name, this.of(name) + 1);
    return () => {
      const left = this.of(name) - 1;
      if (left > 0) this.#counts.set(name, left);
      else this.#counts.delete(name);
    };
  }
}

function refusal(reason: RefusalReason): HttpProblem {
  const headers = { "Retry-After": String(retryAfterSeconds()) };
  switch (reason) {
    case "requests":
      return plainProblem(429, "Too many requests come from this address. Try again in some seconds.", headers);
    case "connections-of-address":
      return plainProblem(429, "This address has as many connections as one may have. Close some.", headers);
    case "connections-of-client":
      return plainProblem(429, "This client has as many connections as one may have. Close some.", headers);
    case "open-files":
      // The socket is what there is too little of.
      return serverFull({ ...headers, Connection: "close" });
    default:
      return serverFull(headers);
  }
}

function serverFull(headers: Record<string, string>): HttpProblem {
  return new HttpProblem(createProblem("urn:presence:problem:server-full"), headers);
}

/** Those who were refused together do not come back together. */
function retryAfterSeconds(): number {
  const { least, most } = RETRY_AFTER_SECONDS;
  return least + Math.floor(Math.random() * (most - least + 1));
}
