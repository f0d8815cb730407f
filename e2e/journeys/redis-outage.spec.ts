import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/distributed-test.ts";
import { EventStream } from "../fixtures/event-stream.ts";
import { waitForLeaseEnd } from "../fixtures/leases.ts";
import { recordStatuses } from "../fixtures/status-record.ts";

test.use({
  expectedServerWarnings:
    /Redis is lost; trying again|a gap in the events was closed|presence could not be read for a snapshot/,
});

/** Added to two intervals: the time to reconnect to Redis and to show the change, on a machine that runs other tests too. */
const SLACK_MS = 1_500;

test("statuses are correct within two intervals after Redis restarts without data", async ({
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
  await expectAllOnline(tabs);
  for (const viewer of [anouk, magali]) await viewer.sees("ines", "ONLINE");
  const views = await Promise.all(
    viewsIn(tabs).map(async ({ viewer, client }) => ({ client, record: await recordStatuses(viewer.page) })),
  );

  await redis.kill();
  ines.close();
  await redis.restart();
  const backAt = Date.now();

  for (const viewer of [anouk, magali]) await viewer.sees("ines", "OFFLINE");
  expect(Date.now() - backAt).toBeLessThan(2 * first.heartbeatIntervalMs + SLACK_MS);
  await waitForLeaseEnd(first, noor);
  await expectAllOnline(tabs);
  for (const { client, record } of views) {
    expect(await record.of(client), `statuses of ${client} that others saw`).toEqual(["ONLINE"]);
  }
});

test("during a Redis outage all tabs show how old their list is, and recover automatically afterwards", async ({
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
  await expectAllOnline(tabs);

  await redis.kill();
  for (const tab of Object.values(tabs)) {
    await tab.isLinked("reconnecting");
    await expect(tab.page.getByText(/as of \d/i).first()).toBeVisible();
  }
  for (const { viewer, client } of viewsIn(tabs)) await viewer.sees(client, "UNKNOWN");

  await redis.restart();
  for (const tab of Object.values(tabs)) await tab.isLive();
  await expectAllOnline(tabs);
  const noor = await EventStream.open(first.url, "noor");
  await waitForLeaseEnd(first, noor);
  noor.close();
  for (const client of Object.keys(tabs)) expect(noor.changesOf(client), "no client flaps afterwards").toEqual([]);
  await expectAllOnline(tabs);
  for (const { viewer, client } of viewsIn(tabs)) await expect(viewer.activityOf(client, "OFFLINE")).toHaveCount(0);
});

/** Open tabs, by the client they show. */
type Tabs = Readonly<Record<string, ClientPage>>;

/** Each pair of a tab and a client of another tab. */
function viewsIn(tabs: Tabs): { viewer: ClientPage; client: string }[] {
  return Object.entries(tabs).flatMap(([own, viewer]) =>
    Object.keys(tabs)
      .filter((client) => client !== own)
      .map((client) => ({ viewer, client })),
  );
}

async function expectAllOnline(tabs: Tabs): Promise<void> {
  for (const { viewer, client } of viewsIn(tabs)) await viewer.sees(client, "ONLINE");
}
