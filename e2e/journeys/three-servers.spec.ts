import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/distributed-test.ts";
import { EventStream } from "../fixtures/event-stream.ts";
import { waitForLeaseEnd } from "../fixtures/leases.ts";

/** The longest time until a browser and its worker close the stream of a closed tab. */
const CLOSE_LIMIT_MS = 1_000;
/** Its leases are longer than the test, so OFFLINE can only come from signing out. */
const LONG_INTERVAL_MS = 60_000;
/** Much less than half an interval, the shortest remaining lease. */
const DELIVERY_LIMIT_MS = 10_000;

test("three tabs at three servers see each other come online and go offline", async ({
  context,
  servers,
  listenAs,
}) => {
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
  expect(since, "not after the lease must end").toBeLessThanOrEqual(closedAt + first.leaseMs + CLOSE_LIMIT_MS);
  await expect(anouk.activityOf("magali")).toHaveCount(2);
  await expect(omar.activityOf("magali")).toHaveCount(1);
  await anouk.sees("omar", "ONLINE");
  await omar.sees("anouk", "ONLINE");
});

test("OFFLINE is published at the end of the lease, for clients of any server", async ({ servers, listenAs }) => {
  const [first, second, third] = servers;
  const noor = await listenAs("noor");
  const visits = { anouk: first, magali: second, omar: third };
  for (const [client, server] of Object.entries(visits)) (await EventStream.open(server.url, client)).close();
  for (const client of Object.keys(visits)) await noor.next(client, "OFFLINE");

  expect(await first.metric("presence_offline_lag_seconds_count")).toBe(3);
  // Redis itself notices expired keys late, usually after more than a second. So the platform uses its own timer.
  expect(await first.metric('presence_offline_lag_seconds_bucket{le="0.25"}')).toBe(3);
});

test.describe("with a lease longer than a reload on a slow machine", () => {
  test.use({ heartbeatIntervalMs: 10_000 });

  test("a reload causes no event at other servers", async ({ context, servers, listenAs }) => {
    const [first, second] = servers;
    const noor = await listenAs("noor");
    const anouk = await ClientPage.open(context, "anouk", first.url);
    const magali = await ClientPage.open(context, "magali", second.url);
    await anouk.sees("magali", "ONLINE");

    for (let times = 0; times < 3; times += 1) {
      await magali.page.reload();
      await magali.isLive();
    }
    await waitForLeaseEnd(first, noor);

    expect(noor.changesOf("magali")).toHaveLength(1);
    await expect(anouk.activityOf("magali")).toHaveCount(1);
    await anouk.sees("magali", "ONLINE");
  });

  test("a client that moves from server to server stays ONLINE", async ({ context, redis, servers, listenAs }) => {
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
    await waitForLeaseEnd(first, noor);

    expect(noor.changesOf("magali")).toHaveLength(1);
    await expect(anouk.activityOf("magali")).toHaveCount(1);
    await anouk.sees("magali", "ONLINE");
  });
});

test("a client at two servers is OFFLINE when both its connections are closed", async ({
  context,
  servers,
  listenAs,
}) => {
  const [first, second, third] = servers;
  const noor = await listenAs("noor");
  const here = await ClientPage.open(context, "magali", second.url);
  const there = await ClientPage.open(context, "magali", third.url);
  await there.sees("noor", "ONLINE");

  await here.close();
  await waitForLeaseEnd(first, noor);
  expect(noor.changesOf("magali"), "one of two closed").toHaveLength(1);
  await there.isLive();

  await there.close();
  await noor.next("magali", "OFFLINE");
  expect(noor.changesOf("magali")).toHaveLength(2);
});

test.describe("with long leases", () => {
  test.use({ heartbeatIntervalMs: LONG_INTERVAL_MS });

  test("a client that signs out is OFFLINE immediately at all servers, and can sign in again", async ({
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
    expect(since - signedOutAt).toBeLessThan(DELIVERY_LIMIT_MS);
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
