import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "./connection.ts";
import type { PushRegistry } from "./push-registry.ts";

/** Time between two steps of a drain, in ms. */
const STEP_MS = 100;

/** How a server drains; ms. */
export interface DrainPace {
  /** How long the server only reports that it is not ready, so that proxies stop sending new connections. */
  noticeMs: number;
  /** Over how long the connections are then ended, evenly. */
  spreadMs: number;
}

/** This server is draining: the stream must be opened on another server. */
export class DrainingError extends Error {
  constructor() {
    super("this server is draining: its connections move to other servers");
    this.name = "DrainingError";
  }
}

/**
 * Ends all connections of a server, a few at a time.
 *
 * New connections are accepted during the notice, because some readers (`EventSource`) give up when they are refused. After
 * it, proxies have noticed that this server is not ready.
 */
export class Drain {
  #state: "idle" | "notice" | "refusing" = "idle";

  get isDraining(): boolean {
    return this.#state !== "idle";
  }

  /** Whether new connections are refused. */
  get isRefusing(): boolean {
    return this.#state === "refusing";
  }

  /**
   * @param endResponse ends the response of a connection; returns all connections that share it
   * @returns when no connection is left
   */
  async run(
    { noticeMs, spreadMs }: DrainPace,
    registry: Pick<PushRegistry, "connectionCount" | "connections">,
    endResponse: (connection: Connection) => readonly Connection[],
  ): Promise<void> {
    this.#state = "notice";
    const startMs = performance.now() + noticeMs;
    while (performance.now() < startMs && registry.connectionCount > 0) await delay(STEP_MS);
    this.#state = "refusing";
    const ended = new Set<Connection>();
    for (;;) {
      const open = [...registry.connections()].filter((connection) => !ended.has(connection));
      if (open.length === 0) return;
      const stepsLeft = (startMs + spreadMs - performance.now()) / STEP_MS;
      for (const connection of open.slice(0, shareOf(open.length, stepsLeft))) {
        if (ended.has(connection)) continue;
        for (const endedWithIt of endResponse(connection)) ended.add(endedWithIt);
      }
      await delay(STEP_MS);
    }
  }
}

/** How many connections to end in this step, so that the remaining steps end about as many each. */
function shareOf(count: number, stepsLeft: number): number {
  return stepsLeft <= 1 ? count : Math.ceil(count / stepsLeft);
}
