import { pino } from "pino";
import { startTriggerHost } from "../src/host/trigger-host.ts";

/** A trigger host alone, to be killed: its arguments are Redis's URL and `d` in ms. */
const [redisUrl = "", intervalMs] = process.argv.slice(2);
startTriggerHost({ redisUrl, heartbeatIntervalMs: Number(intervalMs), logger: pino({ level: "silent" }) });
