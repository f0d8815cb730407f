import { fileURLToPath } from "node:url";
import { ServerProcess, type ServerProcessOptions } from "./server-process.ts";

const FILE = fileURLToPath(new URL("../../../apps/server/dist/main.js", import.meta.url));
/** A lease lives for this many heartbeat intervals. */
const LEASE_INTERVALS = 1.5;

export interface PresenceServerOptions extends Omit<ServerProcessOptions, "name" | "file"> {
  /** `d`, in ms. */
  heartbeatIntervalMs: number;
  /** Without it the server keeps presence in its own memory. */
  redisUrl?: string;
  serverId?: string;
}

/** What `/readyz` answers. */
export interface Readiness {
  status: number;
  ready: boolean;
  reason?: string;
  warnings: string[];
}

/** The built realtime server in a process of its own. */
export class PresenceServer extends ServerProcess {
  readonly heartbeatIntervalMs: number;
  readonly serverId: string;

  private constructor({ heartbeatIntervalMs, redisUrl, serverId, env, ...options }: PresenceServerOptions) {
    super({
      ...options,
      name: "presence server",
      file: FILE,
      env: {
        HEARTBEAT_INTERVAL_MS: String(heartbeatIntervalMs),
        LOG_LEVEL: "info",
        ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
        ...(serverId !== undefined && { SERVER_ID: serverId }),
        ...env,
      },
    });
    this.heartbeatIntervalMs = heartbeatIntervalMs;
    this.serverId = serverId ?? "";
  }

  /** Resolves with a server that listens. */
  static async start(options: PresenceServerOptions): Promise<PresenceServer> {
    const server = new PresenceServer(options);
    await server.restart();
    return server;
  }

  /** How long a lease lives after the heartbeat that set it, in ms. */
  get leaseMs(): number {
    return LEASE_INTERVALS * this.heartbeatIntervalMs;
  }

  async readiness(): Promise<Readiness> {
    const response = await fetch(`${this.url}/readyz`);
    return { status: response.status, ...((await response.json()) as Omit<Readiness, "status">) };
  }
}
