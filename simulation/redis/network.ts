import type { SimulatedServer } from "./server.ts";

/** How long requests and replies take, in ms. */
export interface Latency {
  minMs: number;
  maxMs: number;
}

/** The network's view of a connection. */
export interface NetworkConnection {
  /** Breaks the connection with this error message. */
  drop(reason: string): void;
}

/** The network between one Redis server and its clients. */
export class SimulatedNetwork {
  readonly server: SimulatedServer;
  latency: Latency = { minMs: 0, maxMs: 2 };
  /** Whether connections can be made. */
  isReachable = true;
  #isPaused = false;
  #waiting: (() => void)[] = [];
  readonly #connections = new Set<NetworkConnection>();

  constructor(server: SimulatedServer) {
    this.server = server;
  }

  add(connection: NetworkConnection): void {
    this.#connections.add(connection);
  }

  remove(connection: NetworkConnection): void {
    this.#connections.delete(connection);
  }

  delayMs(): number {
    const { minMs, maxMs } = this.latency;
    return minMs + Math.floor(Math.random() * (maxMs - minMs + 1));
  }

  /** Suspends the server, as SIGSTOP does. Connections stay open. */
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

  /** Breaks every connection. Redis may or may not have executed pending commands. */
  cutAll(): void {
    for (const connection of [...this.#connections]) connection.drop("Connection is closed.");
  }

  /** Stops the server. Connections break, and new ones are refused. */
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
