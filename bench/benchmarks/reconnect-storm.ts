import { setTimeout as sleep } from "node:timers/promises";
import { median } from "@presence/testkit";
import { defineBenchmark, type Run } from "../benchmark.ts";
import { colleagueIds, colleaguePath } from "../load/colleagues.ts";
import { nextColleagues, writeContacts } from "../load/contact-documents.ts";
import { RawStream } from "../load/raw-stream.ts";
import { startProbe } from "../load/stream-reader.ts";
import { closeAll, openStreams, untilReceived } from "../load/streams.ts";
import { formatNumber } from "../report/table.ts";
import { atMost } from "../report/verdict.ts";
import { OURS } from "../setup/programs.ts";
import { RedisProcess } from "../setup/redis-process.ts";
import { onScopeEnd } from "../setup/scope.ts";
import { startServer } from "../setup/server-process.ts";

const CLIENTS = 15_000;
const CONTACTS = 100;
const OBJECTS_IN_SNAPSHOT = CONTACTS + 1;
/** Leases have to outlast the storm: after a kill the shortest has half an interval left. */
const HEARTBEAT_INTERVAL_MS = 30_000;
const QUICK_HEARTBEAT_INTERVAL_MS = 10_000;
const RETRY_MS = 250;
const SETTLE_MS = 2_000;
const TARGET_LIVE_S = 15;
const TARGET_LOOP_DELAY_MS = 100;

type Figure = "halfLiveS" | "allLiveS" | "loopP99Ms" | "loopMaxMs" | "refused" | "flaps";

export const reconnectStorm = defineBenchmark<Figure>({
  name: "reconnect-storm",
  title: `${formatNumber(CLIENTS)} clients reconnect at once after a crash and restart of their server`,
  connections: CLIENTS,
  rounds: { usual: 1, long: 3 },
  measure,
  report([ours], { rounds }) {
    const bar = (figure: Figure, name: string, value = ours.median(figure)) => ({ name, isOurs: true, value });
    const [refused, flaps] = [formatNumber(ours.max("refused")), formatNumber(ours.max("flaps"))];
    return {
      columns: [
        ["half live, s", "halfLiveS"],
        ["all live, s", "allLiveS"],
        ["event loop delay, p99, ms", "loopP99Ms"],
        ["max, ms", (sample) => sample.max("loopMaxMs")],
        ["refused", (sample) => sample.max("refused")],
        ["flaps", (sample) => sample.max("flaps")],
      ],
      notes: [
        `The server is killed (SIGKILL) and started again on the same port. All clients connect as soon as it listens, without jitter and without Last-Event-ID, so that each is sent a snapshot of ${CONTACTS} contacts. A client is live when it has its snapshot. A refused client retries after ${RETRY_MS} ms.`,
        `d = ${HEARTBEAT_INTERVAL_MS / 1000} s, so that no lease ends before its client can be back. Flaps: events that a probe in the platform received until all earlier leases had ended.`,
      ],
      targets: [
        atMost(TARGET_LIVE_S, "reconnect storm, all live again", ours.max("allLiveS"), "s", {
          bar: "all clients are live",
        }),
        atMost(0, "reconnect storm, flaps", ours.max("flaps"), ""),
        atMost(TARGET_LOOP_DELAY_MS, "reconnect storm, event loop delay, p99", ours.max("loopP99Ms"), "ms", {
          bar: "99th percentile",
        }),
      ],
      chart: {
        caption: `Flaps: ${flaps}. Refused connections: ${refused}. Rounds: ${rounds}.`,
        panels: [
          {
            measure: "time since the new server listens",
            unit: "s",
            better: "less",
            bars: [bar("halfLiveS", "half of the clients are live"), bar("allLiveS", "all clients are live")],
          },
          {
            measure: "event loop delay of the server during that time",
            unit: "ms",
            better: "less",
            isLogarithmic: true,
            bars: [bar("loopP99Ms", "99th percentile"), bar("loopMaxMs", "maximum", ours.max("loopMaxMs"))],
          },
        ],
      },
    };
  },
});

async function measure(run: Run): Promise<Record<Figure, number>> {
  const count = run.scaled(CLIENTS);
  const heartbeatIntervalMs = run.isQuick ? QUICK_HEARTBEAT_INTERVAL_MS : HEARTBEAT_INTERVAL_MS;
  const redis = await RedisProcess.start();
  await writeContacts(redis, colleagueIds(count), (index) => nextColleagues(index, CONTACTS, count));
  const server = await startServer({ ...OURS, env: redis.env(heartbeatIntervalMs) });
  const before = await openStreams(count, (index) => RawStream.open(server.port, colleaguePath(index)));
  await untilReceived(before, OBJECTS_IN_SNAPSHOT);
  await sleep(SETTLE_MS);
  const probe = await startProbe(redis, heartbeatIntervalMs);
  await server.process.kill();
  closeAll(before);
  await server.process.restart();
  await server.ask("watchLoop");
  const streams: RawStream[] = [];
  onScopeEnd(() => closeAll(streams));
  const liveS: number[] = [];
  let refused = 0;
  const startMs = performance.now();
  const reconnect = async (index: number) => {
    for (;;) {
      try {
        const stream = await RawStream.open(server.port, colleaguePath(index));
        streams.push(stream);
        await stream.received(OBJECTS_IN_SNAPSHOT);
        liveS.push((performance.now() - startMs) / 1000);
        return;
      } catch {
        refused += 1;
        await sleep(RETRY_MS);
      }
    }
  };
  await Promise.all(before.map((_, index) => reconnect(index)));
  const loop = await server.ask("loopDelay");
  await sleep(1.5 * heartbeatIntervalMs - (performance.now() - startMs));
  return {
    halfLiveS: median(liveS),
    allLiveS: Math.max(...liveS),
    loopP99Ms: loop.p99Ms,
    loopMaxMs: loop.worstMs,
    refused,
    flaps: probe.changes,
  };
}
