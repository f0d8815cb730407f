import { fileURLToPath } from "node:url";
import { NodeProgram } from "./node-program.ts";

const FILE = fileURLToPath(new URL("../../../gears/dist/host.js", import.meta.url));

export interface TriggerHostOptions {
  redisUrl: string;
  /** `d`, in ms. */
  heartbeatIntervalMs: number;
}

/** The built trigger host in a process of its own. */
export class TriggerHost extends NodeProgram {
  private constructor({ redisUrl, heartbeatIntervalMs }: TriggerHostOptions) {
    const env = { REDIS_URL: redisUrl, HEARTBEAT_INTERVAL_MS: String(heartbeatIntervalMs), LOG_LEVEL: "info" };
    super({ name: "trigger host", file: FILE, env });
  }

  /** Resolves when it has started; some ms may pass before it is connected to Redis. */
  static async start(options: TriggerHostOptions): Promise<TriggerHost> {
    const host = new TriggerHost(options);
    await host.startProcess({}, () => host.nextLine(() => true));
    return host;
  }
}
