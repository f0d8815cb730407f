import { setTimeout as delay } from "node:timers/promises";
import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/distributed-test.ts";
import { EventStream } from "../fixtures/event-stream.ts";
import { waitForLeaseEnd } from "../fixtures/leases.ts";
import { recordStatuses } from "../fixtures/status-record.ts";

test.use({
  expectedServerWarnings:
    /connection to Redis lost; retrying|a gap in the events was closed|presence could not be read for a snapshot/,
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
    await tab.isLinked("stale");
    await expect(tab.connection.getByText(/Stale: .*as of \d\d:\d\d:\d\d$/).first()).toBeVisible();
    await expect(tab.page.getByText(/^As of \d\d:\d\d:\d\d$/)).toBeVisible();
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

test.describe("with a heartbeat interval of 5 s", () => {
  const PAUSE_MS = 20_000;
  const CLIENTS = ["anouk", "magali", "omar", "ines", "noor", "sofia"];

  test.use({ heartbeatIntervalMs: 5_000 });

  test("no client in a browser is shown as offline when Redis hangs for 20 s", async ({ browser, redis, servers }) => {
    test.setTimeout(150_000);
    // A context of its own has a worker of its own, as a browser of its own has.
    const contexts = await Promise.all(CLIENTS.map(() => browser.newContext()));
    const pages = await Promise.all(
      contexts.map((context, index) =>
        ClientPage.open(context, CLIENTS[index] ?? "", servers[index % servers.length]?.url),
      ),
    );
    const tabs = Object.fromEntries(pages.map((page, index) => [CLIENTS[index], page]));
    for (const { page } of pages) await expect(page.getByTestId("contact").first()).toBeVisible();
    const views = viewsIn(tabs);
    const listed = await Promise.all(
      views.map(async ({ viewer, client }) => (await viewer.contact(client).count()) > 0),
    );
    const contactViews = views.filter((_, index) => listed[index]);
    expect(contactViews.length).toBeGreaterThan(pages.length);
    for (const { viewer, client } of contactViews) await viewer.sees(client, "ONLINE");
    const records = await Promise.all(contactViews.map(({ viewer }) => recordStatuses(viewer.page)));

    redis.pause();
    await delay(PAUSE_MS);
    for (const page of pages) await page.isLinked("stale");
    redis.resume();

    for (const page of pages) await page.isLive();
    const observer = await EventStream.open(servers[0].url, "observer");
    await waitForLeaseEnd(servers[0], observer);
    observer.close();
    for (const [index, { viewer, client }] of contactViews.entries()) {
      const statuses = await records[index]?.of(client);
      expect(statuses, `statuses of ${client}`).toContain("UNKNOWN");
      expect(statuses, `statuses of ${client}`).not.toContain("OFFLINE");
      await viewer.sees(client, "ONLINE");
      await expect(viewer.activityOf(client, "OFFLINE")).toHaveCount(0);
    }
    await Promise.all(contexts.map((context) => context.close()));
  });
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
