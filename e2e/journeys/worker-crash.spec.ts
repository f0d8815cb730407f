import type { Browser, BrowserContext, Page } from "@playwright/test";
import { ClientPage } from "../fixtures/client-page.ts";
import { type ConnectionRecord, recordConnection } from "../fixtures/connection-record.ts";
import { waitForLeaseEnd } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";
import { closeSharedWorker, sharedWorkerProcesses } from "../fixtures/worker-process.ts";

test.use({ heartbeatIntervalMs: 5_000 });
test.describe.configure({ timeout: 120_000 });

/** How soon a page shows that its connection is lost after its worker ended, in ms. */
const NOTICE_LIMIT_MS = 3_000;
/** How soon it is live again. Before its lease ends, so that contacts see no change. */
const RECOVERY_LIMIT_MS = 7_000;
/** How soon a page notices a worker that doesn't run, in ms: three ticks of its timer, and the time to start another. */
const SILENCE_LIMIT_MS = 9_000;

/** Ways to end the worker. `tabs` is the number of tabs that remain. */
const ENDINGS: { name: string; tabs: number; end(browser: Browser, first: Page): Promise<void> }[] = [
  { name: "a crash of the first tab, which hosts the worker", tabs: 2, end: (_, first) => crash(first) },
  { name: "the end of the worker alone", tabs: 3, end: closeSharedWorker },
  {
    name: "the death of the process that hosts the worker",
    tabs: 2,
    end: async (browser, first) => void (await signalWorkerProcess(browser, first, "SIGKILL")),
  },
];

for (const { name, tabs, end } of ENDINGS) {
  test(`after ${name}, the other tabs reconnect and their clients stay ONLINE`, async ({
    context,
    server,
    listenAs,
  }) => {
    const noor = await listenAs("noor");
    const first = await ClientPage.open(context, "omar");
    const anouk = await ClientPage.open(context, "anouk");
    const magali = await ClientPage.open(context, "magali");
    await anouk.sees("magali", "ONLINE");
    const records = await Promise.all([anouk, magali].map(({ page }) => recordConnection(page)));

    const endedAtMs = Date.now();
    await end(browserOf(context), first.page);

    for (const record of records) await expectRecovery(record, endedAtMs, NOTICE_LIMIT_MS);
    await anouk.isLive();
    await anouk.sees("magali", "ONLINE");
    await magali.sees("anouk", "ONLINE");
    await waitForLeaseEnd(server, noor);
    expect(noor.changesOf("anouk"), "ONLINE at the start, and no other event").toHaveLength(1);
    expect(noor.changesOf("magali")).toHaveLength(1);
    await listenAs("ines");
    for (const viewer of [anouk, magali]) await viewer.sees("ines", "ONLINE");
    await expectSharedConnection(anouk, tabs);
  });
}

test("a worker that no longer runs is replaced, and drops its tabs when it runs again", async ({
  context,
  server,
  listenAs,
}) => {
  const noor = await listenAs("noor");
  const first = await ClientPage.open(context, "omar");
  const anouk = await ClientPage.open(context, "anouk");
  const magali = await ClientPage.open(context, "magali");
  const records = await Promise.all([anouk, magali].map(({ page }) => recordConnection(page)));

  const pid = await signalWorkerProcess(browserOf(context), first.page, "SIGSTOP");
  const stoppedAtMs = Date.now();
  try {
    for (const record of records) await expectRecovery(record, stoppedAtMs, SILENCE_LIMIT_MS);
    await magali.sees("anouk", "ONLINE");
    await expectSharedConnection(anouk, 2);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await expect.poll(() => server.metric("presence_connections")).toBe(3);
  await magali.close();
  await noor.next("magali", "OFFLINE");
});

test("a change that happened while the tabs had no worker is marked as missed", async ({ context, listenAs }) => {
  const noor = await listenAs("noor");
  const ines = await listenAs("ines");
  const anouk = await ClientPage.open(context, "anouk");
  await anouk.sees("ines", "ONLINE");

  // Without the worker's script, no new worker starts.
  await context.route(/\/assets\/worker-/, (route) => route.abort());
  await closeSharedWorker(browserOf(context));
  await anouk.isLinked("reconnecting");
  await anouk.sees("ines", "UNKNOWN");
  ines.close();
  await noor.next("ines", "OFFLINE");
  await context.unroute(/\/assets\/worker-/);

  await anouk.isLive();
  await anouk.sees("ines", "OFFLINE");
  await expect(anouk.activityOf("ines", "OFFLINE")).toHaveAttribute("data-missed", "true");
});

test("a signed-out client stays signed out after its worker crashed", async ({ context, server, listenAs }) => {
  const noor = await listenAs("noor");
  const anouk = await ClientPage.open(context, "anouk");
  const magali = await ClientPage.open(context, "magali");
  await anouk.signOut();
  await anouk.isLinked("signed-out");
  const record = await recordConnection(magali.page);

  await closeSharedWorker(browserOf(context));

  await expectRecovery(record, Date.now(), NOTICE_LIMIT_MS);
  await anouk.isLinked("signed-out");
  await waitForLeaseEnd(server, noor);
  expect(noor.online).not.toContain("anouk");
  await anouk.signInAgain();
  await anouk.isLive();
  await magali.sees("anouk", "ONLINE");
});

/** Expects that the page showed a lost connection within `limitMs` after `endedAtMs`, and then a live one. */
async function expectRecovery(record: ConnectionRecord, endedAtMs: number, limitMs: number): Promise<void> {
  await expect
    .poll(async () => (await record.states()).map(({ state }) => state), { timeout: 20_000 })
    .toEqual(["live", "reconnecting", "live"]);
  const [, lost, live] = await record.states();
  expect((lost?.atMs ?? 0) - endedAtMs).toBeLessThan(limitMs);
  expect((live?.atMs ?? 0) - (lost?.atMs ?? 0)).toBeLessThan(RECOVERY_LIMIT_MS - NOTICE_LIMIT_MS);
}

/** Expects that `tabCount` tabs share the page's connection. */
async function expectSharedConnection({ connection }: ClientPage, tabCount: number): Promise<void> {
  await connection.getByRole("button").first().click();
  await expect(connection.getByText(`${tabCount} tabs`)).toBeVisible();
}

async function crash(page: Page): Promise<void> {
  const crashed = page.waitForEvent("crash");
  const session = await page.context().newCDPSession(page);
  session.send("Page.crash").catch(() => {
    // A crashed page does not answer the command.
  });
  await crashed;
}

/**
 * Closes the tab that started the worker, so that the worker alone remains in its process, and signals that process.
 *
 * @returns the id of the process
 */
async function signalWorkerProcess(browser: Browser, first: Page, signal: NodeJS.Signals): Promise<number> {
  const [pid, ...others] = await sharedWorkerProcesses(browser);
  if (pid === undefined || others.length > 0) throw new Error("Not exactly one process hosts a shared worker.");
  await first.close();
  process.kill(pid, signal);
  return pid;
}

function browserOf(context: BrowserContext): Browser {
  const browser = context.browser();
  if (browser === null) throw new Error("The context has no browser.");
  return browser;
}
