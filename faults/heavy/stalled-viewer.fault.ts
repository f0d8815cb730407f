import { HEARTBEAT_KEY, leaseKey } from "@presence/protocol";
import { median, type PresenceServer, waitFor } from "@presence/testkit";
import { expect, it } from "vitest";
import { Load } from "../load/load.ts";
import { Platform } from "../platform/platform.ts";
import { count, report } from "../report/measurement.ts";

const VIEWERS = 999;
/** Contacts of the stalled viewer alone, so that it alone gets many events. Long ids make the events larger. */
const CHANGING = Array.from({ length: 1_000 }, (_, index) => `changing-${index}-`.padEnd(64, "x"));
/** A guest, visible to all viewers: its events measure their latency. */
const PULSE = "pulse";
const ROUNDS_BEFORE = 5;
const MAX_ROUNDS = 150;
/** Allowance for a busy machine, in addition to twice the latency before. */
const LATENCY_SLACK_MS = 250;
const MEMORY_LIMIT_BYTES = 64 * 1024 * 1024;

it("bounds the memory for a viewer that stops reading, and does not delay the others", async (context) => {
  const platform = await Platform.start({ heartbeatIntervalMs: 5_000, servers: 1 });
  const [server] = platform.servers as [PresenceServer];
  let latenciesMs: number[] = [];
  const load = await Load.start(platform, {
    size: VIEWERS,
    contacts: 3,
    onChange: ({ client, since }) => {
      if (client === PULSE) latenciesMs.push(Date.now() - since);
    },
  });
  await platform.writeContacts(new Map(CHANGING.map((client) => [client, []])));
  const arrive = (clients: readonly string[]) =>
    platform.commands.xadd(HEARTBEAT_KEY, "*", "server", "elsewhere", ...clients.flatMap((id) => ["client", id]));
  const leave = (clients: readonly string[]) => platform.commands.del(...clients.map(leaseKey));
  await arrive(CHANGING);
  const reader = await load.addObserver(server, CHANGING);

  /** The changing clients go OFFLINE and ONLINE, the pulse the reverse. Resolves when all viewers have the pulse events. */
  const round = async () => {
    const before = latenciesMs.length;
    await Promise.all([leave(CHANGING), arrive([PULSE])]);
    await waitFor("all viewers see the pulse ONLINE", () => latenciesMs.length >= before + VIEWERS);
    await Promise.all([leave([PULSE]), arrive(CHANGING)]);
    await waitFor("all viewers see the pulse OFFLINE", () => latenciesMs.length >= before + 2 * VIEWERS);
  };
  const residentBytes = () => server.metric("process_resident_memory_bytes");

  for (let index = 0; index < ROUNDS_BEFORE; index += 1) await round();
  const beforeMs = median(latenciesMs);
  const beforeBytes = await residentBytes();
  reader.close();

  // A new connection, because its socket buffers are still small.
  const stalled = await load.addObserver(server, CHANGING);
  stalled.pause();
  latenciesMs = [];
  let rounds = 0;
  while ((await server.metric("presence_lagged_total")) === 0 || rounds < ROUNDS_BEFORE) {
    expect(rounds, "rounds without a limit of the pending events").toBeLessThan(MAX_ROUNDS);
    await round();
    rounds += 1;
  }
  const stalledMs = median(latenciesMs);
  const grownBytes = (await residentBytes()) - beforeBytes;

  stalled.resume();
  await waitFor("the viewer gets a snapshot", () => stalled.snapshots > 1);
  await waitFor("the viewer is correct", async () => {
    const leases = await platform.leases();
    return CHANGING.every((client) => (stalled.state.statusOf(client) === "ONLINE") === leases.has(client));
  });
  await load.waitUntilCorrect();

  load.expectNoFalseEvents();
  expect(stalled.connections, "connections of the stalled viewer").toBe(1);
  expect(stalledMs, "median latency of the others").toBeLessThan(2 * beforeMs + LATENCY_SLACK_MS);
  expect(grownBytes, "growth of the server's memory").toBeLessThan(MEMORY_LIMIT_BYTES);
  report(context, {
    fault: `one viewer of ${count(VIEWERS + 1)} stops reading`,
    expected: "bounded memory, unchanged latency of the others, a snapshot when it reads again",
    measured: `memory +${Math.max(0, Math.round(grownBytes / 1024 / 1024))} MiB after ${count(rounds * 2 * CHANGING.length)} unread changes; latency of the others ${stalledMs} ms (median; ${beforeMs} ms before); 1 snapshot`,
  });
});
