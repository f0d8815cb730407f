import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/distributed-test.ts";
import { waitForLeaseEnd } from "../fixtures/leases.ts";

/** Half an interval is longer than the limit below, and a lease is longer than a slow browser needs to show a status. */
test.use({ heartbeatIntervalMs: 6_000 });

/** The longest time from a Redis command to the event, on a machine that runs other tests too. */
const DELIVERY_LIMIT_MS = 2_500;

test("a client is OFFLINE immediately when its lease is deleted, and ONLINE with the next heartbeat", async ({
  context,
  redis,
  servers,
  listenAs,
}) => {
  const [first, second, third] = servers;
  const noor = await listenAs("noor");
  const magali = await ClientPage.open(context, "magali", first.url);
  const anouk = await ClientPage.open(context, "anouk", second.url);
  const omar = await ClientPage.open(context, "omar", third.url);
  for (const viewer of [magali, omar]) await viewer.sees("anouk", "ONLINE");
  await noor.next("anouk", "ONLINE");

  const deletedAt = Date.now();
  expect(await redis.cli("DEL", "online.clients.anouk")).toBe("1");

  const { since } = await noor.next("anouk", "OFFLINE");
  expect(since - deletedAt).toBeLessThan(DELIVERY_LIMIT_MS);
  for (const viewer of [magali, omar]) await expect(viewer.activityOf("anouk", "OFFLINE")).toHaveCount(1);

  await noor.next("anouk", "ONLINE");
  for (const viewer of [magali, omar]) await viewer.sees("anouk", "ONLINE");
  await waitForLeaseEnd(first, noor);
  expect(noor.changesOf("anouk")).toHaveLength(3);
  await anouk.isLive();
  await anouk.sees("magali", "ONLINE");
});

test("a heartbeat from an external client makes a client ONLINE for one lease", async ({
  context,
  redis,
  servers,
  listenAs,
}) => {
  const [first, second] = servers;
  const noor = await listenAs("noor");
  const anouk = await ClientPage.open(context, "anouk", first.url);
  const magali = await ClientPage.open(context, "magali", second.url);
  for (const viewer of [anouk, magali]) await viewer.sees("omar", "OFFLINE");

  const [entryMs] = (await redis.cli("XADD", "heartbeat", "*", "server", "external", "client", "omar")).split("-");
  const writtenAt = Number(entryMs);

  const online = await noor.next("omar", "ONLINE");
  expect(online.since - writtenAt).toBeLessThan(DELIVERY_LIMIT_MS);
  for (const viewer of [anouk, magali]) await viewer.sees("omar", "ONLINE");
  expect(await redis.cli("GET", "online.clients.omar")).toBe("external");

  const offline = await noor.next("omar", "OFFLINE");
  for (const viewer of [anouk, magali]) await viewer.sees("omar", "OFFLINE");
  expect(offline.since, "the lease starts at the entry's time").toBeGreaterThanOrEqual(writtenAt + first.leaseMs);
  expect(offline.since).toBeLessThan(writtenAt + first.leaseMs + DELIVERY_LIMIT_MS);
  for (const viewer of [anouk, magali]) await expect(viewer.activityOf("omar")).toHaveCount(2);
});

test("a manually written contact document applies from the client's next connection", async ({
  context,
  redis,
  servers,
}) => {
  const [first, second] = servers;
  const anouk = await ClientPage.open(context, "anouk", first.url);
  const zoe = await ClientPage.open(context, "zoe", second.url);
  await anouk.sees("zoe", "ONLINE");
  await zoe.sees("anouk", "ONLINE");
  await zoe.sees("wei", "OFFLINE");

  await redis.cli("SET", "contact:zoe", '{"id":"zoe","name":"Zoé Martin","contacts":["anouk"]}');
  await ClientPage.open(context, "magali", first.url);
  await zoe.sees("magali", "ONLINE");

  await zoe.page.reload();
  await zoe.isLive();
  await zoe.sees("anouk", "ONLINE");
  await zoe.doesNotList("magali");
  await zoe.doesNotList("wei");
  await expect(zoe.page).toHaveTitle(/^Zoé ·/);

  await zoe.close();
  await anouk.doesNotList("zoe");
  await redis.cli("SET", "contact:anouk", '{"id":"anouk","name":"Anouk Lefèvre","contacts":["zoe"]}');
  await anouk.page.reload();
  await anouk.isLive();
  await anouk.sees("zoe", "OFFLINE");
  await anouk.doesNotList("magali");
  const back = await ClientPage.open(context, "zoe", second.url);
  await anouk.sees("zoe", "ONLINE");
  await expect(anouk.contact("zoe")).toContainText("Zoé Martin");
  await back.sees("anouk", "ONLINE");
});
