import type { SimulatedServer } from "./server.ts";

/** How long requests and replies take, in ms. */
export interface Latency {
  leastMs: number;
  mostMs: number;
}

/** A connection, as the network sees it. */
export interface Cuttable {
  /** The connection is lost, for this reason. */
  drop(reason: string): void;
}

/** What lies between a Redis and its clients. */
export class SimulatedNetwork {
  readonly server: SimulatedServer;
  latency: Latency = { leastMs: 0, mostMs: 2 };
  /** Whether connections can be made. */
  isReachable = true;
  #isPaused = false;
  #waiting: (() => void)[] = [];
  readonly #connections = new Set<Cuttable>();

  constructor(server: SimulatedServer) {
    this.server = server;
  }

  add(connection: Cuttable): void {
    this.#connections.add(connection);
  }

  remove(connection: Cuttable): void {
    this.#connections.delete(connection);
  }

  delayMs(): number {
    const { leastMs, mostMs } = this.latency;
    return leastMs + Math.floor(Math.random() * (mostMs - leastMs + 1));
  }

  /** The server stands still, and keeps its connections, as under SIGSTOP. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (const run of this.#waiting.splice(0)) run();
  }

  /** Runs at once, or when the server is resumed. */
  whenRunning(run: () => void): void {
    if (this.#isPaused) this.#waiting.push(run);
    else run();
  }

  /** Every connection is lost; what was sent may have been executed or not. */
  cutAll(): void {
    for (const connection of [...this.#connections]) connection.drop("Connection is closed.");
  }

  /** The server is gone: connections are lost, and none can be made. */
  stop(): void {
    this.isReachable = false;
    this.#isPaused = false;
    this.#waiting = [];
    this.cutAll();
  }

  start(): void {
    this.isReachable = true;
  }
}
