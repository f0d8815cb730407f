import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/distributed-test.ts";
import { untilLeasesEnd } from "../fixtures/leases.ts";

/** From a command to what a viewer's stream says of it, on one machine that is busy with other tests. */
const AT_ONCE_MS = 500;

test("a lease that is deleted by hand is OFFLINE at once, and the next heartbeat brings it back", async ({
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
  expect(since - deletedAt).toBeLessThan(AT_ONCE_MS);
  for (const viewer of [magali, omar]) await expect(viewer.activityOf("anouk", "OFFLINE")).toHaveCount(1);

  await noor.next("anouk", "ONLINE");
  for (const viewer of [magali, omar]) await viewer.sees("anouk", "ONLINE");
  await untilLeasesEnd(first, noor);
  expect(noor.changesOf("anouk")).toHaveLength(3);
  await anouk.isLive();
  await anouk.sees("magali", "ONLINE");
});

test("a heartbeat that is written by hand is a client online for one lease", async ({
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

  const [entryMs] = (await redis.cli("XADD", "heartbeat", "*", "server", "by-hand", "client", "omar")).split("-");
  const writtenAt = Number(entryMs);

  const online = await noor.next("omar", "ONLINE");
  expect(online.since - writtenAt).toBeLessThan(AT_ONCE_MS);
  for (const viewer of [anouk, magali]) await viewer.sees("omar", "ONLINE");
  expect(await redis.cli("GET", "online.clients.omar")).toBe("by-hand");

  const offline = await noor.next("omar", "OFFLINE");
  for (const viewer of [anouk, magali]) await viewer.sees("omar", "OFFLINE");
  expect(offline.since, "the lease is counted from the entry").toBeGreaterThanOrEqual(writtenAt + first.leaseMs);
  expect(offline.since).toBeLessThan(writtenAt + first.leaseMs + AT_ONCE_MS);
  for (const viewer of [anouk, magali]) await expect(viewer.activityOf("omar")).toHaveCount(2);
});

test("a contact document that is written by hand counts from its client's next connection on", async ({
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
