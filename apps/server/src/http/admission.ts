import type { Socket } from "node:net";
import { type ClientId, createProblem } from "@presence/protocol";
import type { RequestHandler } from "express";
import { rateLimit } from "express-rate-limit";
import type { AdmissionLimits } from "../config.ts";
import { addressOf } from "./address.ts";
import { HttpProblem, plainProblem } from "./http-problem.ts";
import { OpenSockets, socketLimits } from "./open-sockets.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface AdmissionOptions {
  limits: AdmissionLimits;
  /** How many file descriptors (sockets included) the process may have open. */
  openFiles: number;
  onRefusal: (reason: RefusalReason) => void;
}

/** Which limit refused a request; the value of a metric's label. */
export type RefusalReason =
  | "connections"
  | "connections-of-address"
  | "connections-of-client"
  | "arrivals"
  | "requests"
  | "open-files";

const RETRY_AFTER_SECONDS = { min: 1, max: 5 };

/** Counts connections and requests, and refuses those over a limit. */
export class Admission {
  /** Answers 429 when an address sends too many requests. */
  readonly limitRequests: RequestHandler;
  readonly #limits: AdmissionLimits;
  readonly #sockets: OpenSockets;
  readonly #onRefusal: (reason: RefusalReason) => void;
  readonly #newConnections: TokenBucket;
  readonly #connectionsOfAddress = new Counts();
  readonly #connectionsOfClient = new Counts();
  #connections = 0;

  constructor({ limits, openFiles, onRefusal }: AdmissionOptions) {
    this.#limits = limits;
    this.#sockets = new OpenSockets(socketLimits(openFiles), () => onRefusal("open-files"));
    this.#onRefusal = onRefusal;
    this.#newConnections = new TokenBucket(limits.maxNewConnectionsPerSecond, performance.now());
    this.limitRequests = rateLimit({
      windowMs: 1000,
      limit: limits.maxRequestsPerSecond,
      standardHeaders: false,
      legacyHeaders: false,
      validate: false,
      skip: (request) => addressOf(request) === undefined,
      keyGenerator: (request) => addressOf(request) ?? "",
      handler: () => this.#refuse("requests"),
    });
  }

  /** Counts a new socket, before its first request. */
  addSocket(socket: Socket): void {
    this.#sockets.add(socket);
  }

  /**
   * Admits a response that will carry streams. Call it before any work for the response is done.
   *
   * @param address as from `addressOf`
   * @returns a function to call when the response has ended
   * @throws {HttpProblem} 503 if the server is full, 429 if the address has too many connections
   */
  admitResponse(address: string | undefined): () => void {
    if (this.#sockets.areCrowded) this.#refuse("open-files");
    if (!this.#newConnections.take(performance.now())) this.#refuse("arrivals");
    if (this.#connections >= this.#limits.maxConnections) this.#refuse("connections");
    if (address === undefined) return () => {};
    if (this.#connectionsOfAddress.of(address) >= this.#limits.maxConnectionsPerAddress) {
      this.#refuse("connections-of-address");
    }
    return this.#connectionsOfAddress.add(address);
  }

  /**
   * Admits one stream of a client. A multiplexed response carries several.
   *
   * @returns a function to call when the stream has ended
   * @throws {HttpProblem} 503 if the server is full, 429 if the client has too many connections
   */
  admitStream(client: ClientId): () => void {
    if (this.#connections >= this.#limits.maxConnections) this.#refuse("connections");
    if (this.#connectionsOfClient.of(client) >= this.#limits.maxConnectionsPerClient) {
      this.#refuse("connections-of-client");
    }
    const remove = this.#connectionsOfClient.add(client);
    this.#connections += 1;
    return () => {
      remove();
      this.#connections -= 1;
    };
  }

  #refuse(reason: RefusalReason): never {
    this.#onRefusal(reason);
    throw refusal(reason);
  }
}

/** A counter for each name. */
class Counts {
  readonly #counts = new Map<string, number>();

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** @returns a function that undoes it */
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
      return plainProblem(429, "Too many requests from this address. Try again in some seconds.", headers);
    case "connections-of-address":
      return plainProblem(429, "This address has reached its limit of connections. Close some.", headers);
    case "connections-of-client":
      return plainProblem(429, "This client has reached its limit of connections. Close some.", headers);
    case "open-files":
      // Closing the socket frees a file descriptor.
      return serverFull({ ...headers, Connection: "close" });
    default:
      return serverFull(headers);
  }
}

function serverFull(headers: Record<string, string>): HttpProblem {
  return new HttpProblem(createProblem("urn:presence:problem:server-full"), headers);
}

/** Random, so that clients that were refused together do not return together. */
function retryAfterSeconds(): number {
  const { min, max } = RETRY_AFTER_SECONDS;
  return min + Math.floor(Math.random() * (max - min + 1));
}
