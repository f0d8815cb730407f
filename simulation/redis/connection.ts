import { EventEmitter } from "node:events";
import type { Redis } from "ioredis";
import type { SimulatedNetwork } from "./network.ts";
import { type Reply, Status } from "./reply.ts";
import type { Peer } from "./server.ts";

/** Silence after which a connection with a request under way counts as dead, in ms: as `createConnection` sets it. */
const SOCKET_TIMEOUT_MS = 5_000;
const MAX_RETRY_MS = 1_000;
const COMMANDS = [
  "config",
  "del",
  "exists",
  "get",
  "hget",
  "hmget",
  "info",
  "ping",
  "publish",
  "set",
  "subscribe",
  "time",
  "xadd",
  "xlen",
  "xread",
];

interface Request {
  name: string;
  args: readonly string[];
  sentMs: number;
  resolve(reply: unknown): void;
  reject(error: Error): void;
}

/** One end of a connection to the simulated Redis: what the product uses of an ioredis client, with the same manners. */
class SimulatedConnection extends EventEmitter implements Peer {
  readonly name: string;
  readonly options = { keyPrefix: "", db: 0 };
  status: "wait" | "connecting" | "ready" | "reconnecting" | "end" = "wait";
  readonly #network: SimulatedNetwork;
  #generation = 0;
  #attempts = 0;
  #pending: Request[] = [];
  #lastArrivalMs = 0;
  #lastReplyMs = 0;

  constructor(network: SimulatedNetwork, name: string) {
    super();
    this.setMaxListeners(0);
    this.#network = network;
    this.name = name;
  }

  connect(): Promise<void> {
    if (this.status !== "wait" && this.status !== "end") {
      return Promise.reject(new Error("Redis is already connecting/connected"));
    }
    this.#network.add(this);
    this.#open();
    return new Promise((resolve, reject) => {
      this.once("ready", resolve);
      this.once("end", () => reject(new Error("Connection is closed.")));
    });
  }

  disconnect(reconnects = false): void {
    if (reconnects) {
      this.drop("Connection is closed.");
      return;
    }
    const wasOpen = this.status !== "end" && this.status !== "wait";
    this.#fail("Connection is closed.");
    this.status = "end";
    this.#network.remove(this);
    if (wasOpen) queueMicrotask(() => this.emit("end"));
  }

  /** The connection is lost; it is opened again after a while. */
  drop(reason: string): void {
    if (this.status === "end" || this.status === "wait") return;
    const wasReady = this.status === "ready";
    this.#fail(reason);
    this.status = "reconnecting";
    if (wasReady) this.#emitError(new Error(reason));
    this.emit("close");
    this.#retry();
  }

  message(channel: string, text: string): void {
    const generation = this.#generation;
    this.#reply(() => {
      if (generation === this.#generation) this.emit("message", channel, text);
    });
  }

  call(name: string, ...args: string[]): Promise<unknown> {
    if (this.status !== "ready") {
      return Promise.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"));
    }
    return new Promise((resolve, reject) => {
      const request: Request = { name, args, sentMs: Date.now(), resolve, reject };
      this.#pending.push(request);
      const generation = this.#generation;
      this.#lastArrivalMs = Math.max(this.#lastArrivalMs, Date.now() + this.#network.delayMs());
      setTimeout(
        () => this.#network.whenRunning(() => this.#arrive(request, generation)),
        this.#lastArrivalMs - Date.now(),
      );
      setTimeout(() => this.#checkTimeout(request, generation), SOCKET_TIMEOUT_MS);
    });
  }

  #open(): void {
    this.status = "connecting";
    const generation = this.#generation;
    setTimeout(() => {
      if (generation !== this.#generation || this.status !== "connecting") return;
      if (!this.#network.isReachable) {
        this.status = "reconnecting";
        this.#emitError(new Error("connect ECONNREFUSED"));
        this.#retry();
        return;
      }
      this.#attempts = 0;
      this.status = "ready";
      this.emit("ready");
    }, this.#network.delayMs());
  }

  #retry(): void {
    this.#attempts += 1;
    const waitMs = Math.min(MAX_RETRY_MS, 50 * 2 ** Math.min(this.#attempts, 5)) * (0.5 + Math.random() / 2);
    const generation = this.#generation;
    setTimeout(() => {
      if (generation === this.#generation && this.status === "reconnecting") this.#open();
    }, waitMs);
  }

  #arrive(request: Request, generation: number): void {
    if (generation !== this.#generation) return;
    const { server } = this.#network;
    const answer = (reply: Reply) =>
      this.#reply(() => this.#settle(request, generation, () => request.resolve(plain(reply))));
    try {
      server.run(this, request.name.toUpperCase(), request.args, answer);
    } catch (error) {
      this.#reply(() => this.#settle(request, generation, () => request.reject(error as Error)));
    }
    const blockMs = blockOf(request);
    if (blockMs !== undefined) {
      setTimeout(() => this.#network.whenRunning(() => server.endBlockedReads(this)), blockMs);
    }
  }

  /** Replies arrive in the order in which they were sent. */
  #reply(deliver: () => void): void {
    this.#lastReplyMs = Math.max(this.#lastReplyMs, Date.now() + this.#network.delayMs());
    setTimeout(deliver, this.#lastReplyMs - Date.now());
  }

  #settle(request: Request, generation: number, settle: () => void): void {
    if (generation !== this.#generation) return;
    this.#pending = this.#pending.filter((each) => each !== request);
    settle();
  }

  #checkTimeout(request: Request, generation: number): void {
    if (generation === this.#generation && this.#pending.includes(request)) this.drop("Socket timeout");
  }

  #fail(reason: string): void {
    this.#generation += 1;
    this.#network.server.forget(this);
    for (const { reject } of this.#pending.splice(0)) reject(new Error(reason));
  }

  #emitError(error: Error): void {
    if (this.listenerCount("error") > 0) this.emit("error", error);
  }
}

function blockOf({ name, args }: Request): number | undefined {
  const at = name.toUpperCase() === "XREAD" ? args.findIndex((arg) => arg.toUpperCase() === "BLOCK") : -1;
  return at < 0 ? undefined : Number(args[at + 1]);
}

function plain(reply: Reply): unknown {
  if (reply instanceof Status) return reply.text;
  return Array.isArray(reply) ? reply.map(plain) : reply;
}

/** A client of the simulated Redis with the methods of ioredis that the product calls. */
export function createSimulatedRedis(network: SimulatedNetwork, name: string): Redis {
  const connection = new SimulatedConnection(network, name);
  for (const command of COMMANDS) {
    Object.assign(connection, {
      [command]: (...args: unknown[]) => connection.call(command, ...args.flat(Number.POSITIVE_INFINITY).map(String)),
    });
  }
  return connection as unknown as Redis;
}
