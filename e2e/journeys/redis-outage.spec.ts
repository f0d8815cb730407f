import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/distributed-test.ts";
import { EventStream } from "../fixtures/event-stream.ts";
import { untilLeasesEnd } from "../fixtures/leases.ts";
import { recordStatuses } from "../fixtures/status-record.ts";

test.use({
  expectedServerComplaints:
    /Redis is lost; trying again|a gap in the events was closed|presence could not be read for a snapshot/,
});

/** Beside two intervals after Redis is back: connecting to it anew, and being seen here, with other tests running. */
const SLACK_MS = 1_500;

test("a Redis that was lost, and is back at once with nothing in it, is the truth again within two intervals", async ({
  context,
  redis,
  servers,
  listenAs,
}) => {
  const [first, second, third] = servers;
  const noor = await listenAs("noor");
  const ines = await EventStream.open(second.url, "ines");
  const anouk = await ClientPage.open(context, "anouk", first.url);
  const magali = await ClientPage.open(context, "magali", second.url);
  const tabs = { anouk, magali, omar: await ClientPage.open(context, "omar", third.url) };
  await everyoneSeesTheOthers(tabs);
  for (const viewer of [anouk, magali]) await viewer.sees("ines", "ONLINE");
  const sightings = await Promise.all(
    sightingsIn(tabs).map(async ({ viewer, client }) => ({ client, record: await recordStatuses(viewer.page) })),
  );

  await redis.kill();
  ines.close();
  await redis.startAgain();
  const backAt = Date.now();

  for (const viewer of [anouk, magali]) await viewer.sees("ines", "OFFLINE");
  expect(Date.now() - backAt).toBeLessThan(2 * first.heartbeatIntervalMs + SLACK_MS);
  await untilLeasesEnd(first, noor);
  await everyoneSeesTheOthers(tabs);
  for (const { client, record } of sightings) {
    expect(await record.of(client), `what others saw of ${client}`).toEqual(["ONLINE"]);
  }
});

test("while Redis is away all tabs say as of when, and come back by themselves with it", async ({
  context,
  redis,
  servers,
}) => {
  const [first, second, third] = servers;
  const tabs = {
    anouk: await ClientPage.open(context, "anouk", first.url),
    magali: await ClientPage.open(context, "magali", second.url),
    omar: await ClientPage.open(context, "omar", third.url),
  };
  await everyoneSeesTheOthers(tabs);

  await redis.kill();
  for (const tab of Object.values(tabs)) {
    await tab.isLinked("reconnecting");
    await expect(tab.page.getByText(/as of \d/i).first()).toBeVisible();
  }
  for (const { viewer, client } of sightingsIn(tabs)) await viewer.sees(client, "UNKNOWN");

  await redis.startAgain();
  for (const tab of Object.values(tabs)) await tab.isLive();
  await everyoneSeesTheOthers(tabs);
  const noor = await EventStream.open(first.url, "noor");
  await untilLeasesEnd(first, noor);
  noor.close();
  for (const client of Object.keys(tabs)) expect(noor.changesOf(client), "nobody flaps afterwards").toEqual([]);
  await everyoneSeesTheOthers(tabs);
  for (const { viewer, client } of sightingsIn(tabs)) await expect(viewer.activityOf(client, "OFFLINE")).toHaveCount(0);
});

/** Open tabs, by the client they show. */
type Tabs = Readonly<Record<string, ClientPage>>;

/** Who may see whom. */
function sightingsIn(tabs: Tabs): { viewer: ClientPage; client: string }[] {
  return Object.entries(tabs).flatMap(([own, viewer]) =>
    Object.keys(tabs)
      .filter((client) => client !== own)
      .map((client) => ({ viewer, client })),
  );
}

async function everyoneSeesTheOthers(tabs: Tabs): Promise<void> {
  for (const { viewer, client } of sightingsIn(tabs)) await viewer.sees(client, "ONLINE");
}
