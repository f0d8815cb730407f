import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/distributed-test.ts";
import { EventStream } from "../fixtures/event-stream.ts";
import { untilLeasesEnd } from "../fixtures/leases.ts";

/** How long a browser and its worker may take to let go of a closed tab's stream. */
const LET_GO_MS = 1_000;
/** A lease of this length outlasts the test: what others see at once, they see because somebody said goodbye. */
const LONG_INTERVAL_MS = 60_000;
const AT_ONCE_MS = 1_000;

test("three tabs at three servers see each other come and go", async ({ context, servers, listenAs }) => {
  const [first, second, third] = servers;
  const noor = await listenAs("noor");
  const anouk = await ClientPage.open(context, "anouk", first.url);
  await anouk.sees("magali", "OFFLINE");
  const magali = await ClientPage.open(context, "magali", second.url);
  await anouk.sees("magali", "ONLINE");
  const omar = await ClientPage.open(context, "omar", third.url);
  await anouk.sees("omar", "ONLINE");
  await magali.sees("anouk", "ONLINE");
  await magali.sees("omar", "ONLINE");
  await omar.sees("anouk", "ONLINE");
  await omar.sees("magali", "ONLINE");

  const closingAt = Date.now();
  await magali.close();
  const closedAt = Date.now();

  const { since } = await noor.next("magali", "OFFLINE");
  await anouk.sees("magali", "OFFLINE");
  await omar.sees("magali", "OFFLINE");
  expect(since, "not before the lease can end").toBeGreaterThanOrEqual(closingAt + first.heartbeatIntervalMs / 2);
  expect(since, "not after the lease must end").toBeLessThanOrEqual(closedAt + first.leaseMs + LET_GO_MS);
  await expect(anouk.activityOf("magali")).toHaveCount(2);
  await expect(omar.activityOf("magali")).toHaveCount(1);
  await anouk.sees("omar", "ONLINE");
  await omar.sees("anouk", "ONLINE");
});

test("OFFLINE comes with the end of the lease, whichever server it was", async ({ servers, listenAs }) => {
  const [first, second, third] = servers;
  const noor = await listenAs("noor");
  const visits = { anouk: first, magali: second, omar: third };
  for (const [client, server] of Object.entries(visits)) (await EventStream.open(server.url, client)).close();
  for (const client of Object.keys(visits)) await noor.next(client, "OFFLINE");

  expect(await first.metric("presence_offline_lag_seconds_count")).toBe(3);
  // Without a clock of one's own it would be whenever Redis happens to look, most often after more than a second.
  expect(await first.metric('presence_offline_lag_seconds_bucket{le="0.25"}')).toBe(3);
});

test("a reload is no event to those at other servers", async ({ context, servers, listenAs }) => {
  const [first, second] = servers;
  const noor = await listenAs("noor");
  const anouk = await ClientPage.open(context, "anouk", first.url);
  const magali = await ClientPage.open(context, "magali", second.url);
  await anouk.sees("magali", "ONLINE");

  for (let times = 0; times < 3; times += 1) {
    await magali.page.reload();
    await magali.isLive();
  }
  await untilLeasesEnd(first, noor);

  expect(noor.changesOf("magali")).toHaveLength(1);
  await expect(anouk.activityOf("magali")).toHaveCount(1);
  await anouk.sees("magali", "ONLINE");
});

test("a client who moves from server to server never leaves", async ({ context, redis, servers, listenAs }) => {
  const [first, second, third] = servers;
  const noor = await listenAs("noor");
  const anouk = await ClientPage.open(context, "anouk", first.url);
  const magali = await ClientPage.open(context, "magali", second.url);
  await anouk.sees("magali", "ONLINE");

  for (const [server, name] of [
    [third, "third"],
    [first, "first"],
    [second, "second"],
  ] as const) {
    await magali.page.goto(`${server.url}/?as=magali`);
    await magali.isLive();
    await magali.sees("anouk", "ONLINE");
    await expect.poll(() => redis.cli("GET", "online.clients.magali")).toBe(name);
  }
  await untilLeasesEnd(first, noor);

  expect(noor.changesOf("magali")).toHaveLength(1);
  await expect(anouk.activityOf("magali")).toHaveCount(1);
  await anouk.sees("magali", "ONLINE");
});

test("who is at two servers leaves with the last", async ({ context, servers, listenAs }) => {
  const [first, second, third] = servers;
  const noor = await listenAs("noor");
  const here = await ClientPage.open(context, "magali", second.url);
  const there = await ClientPage.open(context, "magali", third.url);
  await there.sees("noor", "ONLINE");

  await here.close();
  await untilLeasesEnd(first, noor);
  expect(noor.changesOf("magali"), "one of two closed").toHaveLength(1);
  await there.isLive();

  await there.close();
  await noor.next("magali", "OFFLINE");
  expect(noor.changesOf("magali")).toHaveLength(2);
});

test.describe("where leases are long", () => {
  test.use({ heartbeatIntervalMs: LONG_INTERVAL_MS });

  test("signing out is OFFLINE at once at all servers, and one can come back", async ({
    context,
    servers,
    listenAs,
  }) => {
    const [first, second, third] = servers;
    const noor = await listenAs("noor");
    const anouk = await ClientPage.open(context, "anouk", first.url);
    const magali = await ClientPage.open(context, "magali", second.url);
    const omar = await ClientPage.open(context, "omar", third.url);
    await anouk.sees("magali", "ONLINE");

    const signedOutAt = Date.now();
    await magali.signOut();
    const { since } = await noor.next("magali", "OFFLINE");
    expect(since - signedOutAt).toBeLessThan(AT_ONCE_MS);
    for (const other of [anouk, omar]) await other.sees("magali", "OFFLINE");
    await magali.isLinked("signed-out");
    for (const other of [anouk, omar]) await other.isLive();

    await magali.signInAgain();
    await magali.isLive();
    await noor.next("magali", "ONLINE");
    for (const other of [anouk, omar]) await other.sees("magali", "ONLINE");
    await magali.sees("anouk", "ONLINE");
  });
});
