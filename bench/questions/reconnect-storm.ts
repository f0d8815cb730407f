import { setTimeout as sleep } from "node:timers/promises";
import { findFreePort } from "@presence/testkit";
import { colleaguePath, OURS } from "../contestants.ts";
import { closeAll, openCrowd, untilTold } from "../load/crowd.ts";
import { nextOnes, writePeople } from "../load/people.ts";
import { RawStream } from "../load/raw-stream.ts";
import { Witness } from "../load/witness.ts";
import type { Answer, Effort, Question } from "../question.ts";
import { RedisProcess } from "../redis-process.ts";
import { startServerProcess } from "../server-process.ts";
import { median } from "../statistics.ts";
import { formatNumber } from "../table.ts";
import { atMost } from "../verdict.ts";

const CLIENTS = 15_000;
const CONTACTS = 100;
const OBJECTS_IN_SNAPSHOT = CONTACTS + 1;
/** Leases have to outlast the storm: whose server is killed has half an interval at the least. */
const HEARTBEAT_INTERVAL_MS = 30_000;
const LEASE_MS = 1.5 * HEARTBEAT_INTERVAL_MS;
const ANOTHER_TRY_MS = 250;
const SETTLE_MS = 2_000;
const TARGET_LIVE_MS = 15_000;
const TARGET_LOOP_DELAY_MS = 100;

interface Storm {
  /** From when the new server listens, ms. */
  halfLiveMs: number;
  allLiveMs: number;
  /** Of the new server's event loop, until all were live, ms. */
  loopDelayMs: number;
  worstLoopDelayMs: number;
  refusals: number;
  /** Who was told to have left, or to have come, though nobody had. */
  flaps: number;
}

export const reconnectStorm: Question = {
  name: "reconnect-storm",
  title: `${formatNumber(CLIENTS)} clients reconnect at once after their server was killed and started anew`,
  connections: () => CLIENTS,
  run,
};

async function run(effort: Effort): Promise<Answer> {
  const storms: Storm[] = [];
  const count = effort.isLong ? 3 : 1;
  for (let round = 0; round < count; round++) {
    effort.onProgress(`storm ${round + 1} of ${count}`);
    storms.push(await measure(effort));
  }
  const ofAll = (figure: keyof Storm) => median(storms.map((storm) => storm[figure]));
  const worst = (figure: keyof Storm) => Math.max(...storms.map((storm) => storm[figure]));
  return {
    header: ["half live, s", "all live, s", "loop delay, 99th, ms", "worst, ms", "refused", "flaps"],
    rows: [
      [
        formatNumber(ofAll("halfLiveMs") / 1000),
        formatNumber(ofAll("allLiveMs") / 1000),
        formatNumber(ofAll("loopDelayMs")),
        formatNumber(worst("worstLoopDelayMs")),
        formatNumber(worst("refusals")),
        formatNumber(worst("flaps")),
      ],
    ],
    notes: [
      `Killed (SIGKILL), and started again on the same port; all connect in the moment in which it listens, without jitter and without a Last-Event-ID, so that each is sent a snapshot of ${CONTACTS} contacts: live is who has it. Who is refused tries again ${ANOTHER_TRY_MS} ms later.`,
      `d = ${HEARTBEAT_INTERVAL_MS / 1000} s, so that no lease ends before its client can be back. Flaps: what a witness in the platform was told until all leases of before had ended.`,
    ],
    chart: {
      title: reconnectStorm.title,
      panels: [
        {
          measure: "from when the new server listens",
          unit: "s",
          better: "less",
          bars: [
            { name: "half of them are live", isOurs: true, value: ofAll("halfLiveMs") / 1000 },
            {
              name: "all of them are live",
              isOurs: true,
              value: ofAll("allLiveMs") / 1000,
              targets: [{ value: TARGET_LIVE_MS / 1000, label: `aimed at: ${TARGET_LIVE_MS / 1000} s` }],
            },
          ],
        },
        {
          measure: "delay of the server's event loop meanwhile",
          unit: "ms",
          better: "less",
          isLogarithmic: true,
          bars: [
            {
              name: "99th percentile",
              isOurs: true,
              value: ofAll("loopDelayMs"),
              targets: [{ value: TARGET_LOOP_DELAY_MS, label: `aimed at: ${TARGET_LOOP_DELAY_MS} ms` }],
            },
            { name: "worst", isOurs: true, value: worst("worstLoopDelayMs") },
          ],
        },
      ],
      caption: `Flaps: ${formatNumber(worst("flaps"))}. Connections refused: ${formatNumber(worst("refusals"))}. Storms: ${count}.`,
    },
    verdicts: [
      atMost(TARGET_LIVE_MS / 1000, "reconnect storm, all live again", worst("allLiveMs") / 1000, "s"),
      atMost(0, "reconnect storm, flaps", worst("flaps"), ""),
      atMost(TARGET_LOOP_DELAY_MS, "reconnect storm, event loop delay, 99th", worst("loopDelayMs"), "ms"),
    ],
  };
}

async function measure({ nodeArgs }: Effort): Promise<Storm> {
  const redis = await RedisProcess.start();
  await writePeople(redis, { size: CLIENTS, contacts: CONTACTS, contactOf: nextOnes(CLIENTS) });
  const env = {
    REDIS_URL: redis.server.url,
    HEARTBEAT_INTERVAL_MS: String(HEARTBEAT_INTERVAL_MS),
    PORT: String(await findFreePort()),
  };
  const contestant = { ...OURS, env };
  const first = await startServerProcess(contestant, nodeArgs);
  const before = await openCrowd(CLIENTS, (index) => RawStream.open(first.port, colleaguePath(index)));
  await untilTold(before, OBJECTS_IN_SNAPSHOT);
  await sleep(SETTLE_MS);
  const witness = await Witness.join(redis, HEARTBEAT_INTERVAL_MS);
  await first.kill();
  closeAll(before);
  const second = await startServerProcess(contestant, nodeArgs);
  await second.watchLoop();
  let refusals = 0;
  const startMs = performance.now();
  const comeBack = async (index: number): Promise<RawStream> => {
    for (;;) {
      try {
        const stream = await RawStream.open(second.port, colleaguePath(index));
        await stream.told(OBJECTS_IN_SNAPSHOT);
        return stream;
      } catch {
        refusals += 1;
        await sleep(ANOTHER_TRY_MS);
      }
    }
  };
  const liveMs: number[] = [];
  const streams = await Promise.all(
    before.map(async (_, index) => {
      const stream = await comeBack(index);
      liveMs.push(performance.now() - startMs);
      return stream;
    }),
  );
  const loop = await second.loopDelay();
  await sleep(LEASE_MS - (performance.now() - startMs));
  const flaps = witness.online + witness.offline;
  await witness.leave();
  closeAll(streams);
  await second.kill();
  await redis.stop();
  return {
    halfLiveMs: median(liveMs),
    allLiveMs: Math.max(...liveMs),
    loopDelayMs: loop.p99Ms,
    worstLoopDelayMs: loop.worstMs,
    refusals,
    flaps,
  };
}
