import type { Locator, Page } from "@playwright/test";
import { ghostLimitMs, waitForLeaseEnd } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";

const CLIENTS = ["anouk", "magali", "omar"];
/** The longest time from the end of a lease to a viewer's screen, on a machine that runs other tests too. */
const SEEN_WITHIN_MS = 1_500;

test.beforeEach(async ({ page }) => {
  await page.goto("/demo");
  for (const client of CLIENTS) await expectState(page, client, "live");
  for (const viewer of CLIENTS) {
    for (const subject of CLIENTS.filter((client) => client !== viewer))
      await expectSeen(page, viewer, subject, "ONLINE");
  }
});

test("a closed client is OFFLINE at the end of the lease, and the timeline shows when", async ({
  page,
  server,
  listenAs,
}) => {
  const noor = await listenAs("noor");
  const closedAt = Date.now();
  await page.getByRole("button", { name: "Close Magali" }).click();

  const { since } = await noor.next("magali", "OFFLINE");
  expect(since - closedAt).toBeGreaterThan(server.heartbeatIntervalMs / 2);
  for (const viewer of ["anouk", "omar"]) {
    await expectSeen(page, viewer, "magali", "OFFLINE");
    const mark = marks(page, { viewer, subject: "magali", status: "OFFLINE" });
    await expect(mark).toHaveCount(1);
    const delayMs = Number(await mark.getAttribute("data-delay-ms"));
    expect(delayMs).toBeGreaterThanOrEqual(0);
    expect(delayMs).toBeLessThan(SEEN_WITHIN_MS);
    await expect(mark).toContainText(/ms/);
  }
  const origin = page.locator('[data-testid="origin-mark"][data-subject="magali"][data-status="OFFLINE"]');
  await expect(origin, "the mark has the time of the server's event").toHaveAttribute("data-at-ms", String(since));
  await expect(pressMarks(page, "magali", "close")).toHaveCount(1);

  await page.getByRole("button", { name: "Open Magali" }).click();
  await expectState(page, "magali", "live");
  for (const viewer of ["anouk", "omar"]) await expectSeen(page, viewer, "magali", "ONLINE");
});

test.describe("with a lease longer than a reload on a slow machine", () => {
  test.use({ heartbeatIntervalMs: 10_000 });

  test("a reload causes no event", async ({ page, server, listenAs }) => {
    const noor = await listenAs("noor");
    await page.getByRole("button", { name: "Reload Omar" }).click();
    await expectState(page, "omar", "live");
    await waitForLeaseEnd(server, noor);

    expect(noor.changesOf("omar")).toEqual([]);
    await expect(marks(page, { viewer: "anouk", subject: "omar", status: "OFFLINE" })).toHaveCount(0);
    await expect(pressMarks(page, "omar", "reload")).toHaveCount(1);
  });
});

test("a client without network is OFFLINE to the others within three intervals", async ({ page, server, listenAs }) => {
  const noor = await listenAs("noor");
  const cutAt = Date.now();
  await page.getByRole("button", { name: "Cut network of Anouk" }).click();

  const { since } = await noor.next("anouk", "OFFLINE");
  expect(since - cutAt).toBeLessThanOrEqual(ghostLimitMs(server));
  for (const viewer of ["magali", "omar"]) await expectSeen(page, viewer, "anouk", "OFFLINE");
  await expectState(page, "anouk", "reconnecting");
  await expectSeen(page, "anouk", "omar", "UNKNOWN");

  await page.getByRole("button", { name: "Restore network of Anouk" }).click();
  await expectState(page, "anouk", "live");
  for (const viewer of ["magali", "omar"]) await expectSeen(page, viewer, "anouk", "ONLINE");
  await expectSeen(page, "anouk", "omar", "ONLINE");
});

test.describe("with a lease longer than the test", () => {
  test.use({ heartbeatIntervalMs: 600_000 });

  test("a client that signs out is OFFLINE before its lease ends", async ({ page, listenAs }) => {
    const noor = await listenAs("noor");
    await page.getByRole("button", { name: "Sign out Magali" }).click();

    await noor.next("magali", "OFFLINE");
    await expectState(page, "magali", "signed-out");
    for (const viewer of ["anouk", "omar"]) await expectSeen(page, viewer, "magali", "OFFLINE");

    await page.getByRole("button", { name: "Sign in Magali" }).click();
    await expectState(page, "magali", "live");
    for (const viewer of ["anouk", "omar"]) await expectSeen(page, viewer, "magali", "ONLINE");
  });
});

test("a second demo page shares one connection, and gets one per client when the first page is closed", async ({
  page,
  context,
}) => {
  const second = await context.newPage();
  await second.goto("/demo");
  for (const client of CLIENTS) await expectState(second, client, "live");
  await expect(second.getByRole("button", { name: "Cut network of Anouk" })).toBeDisabled();

  await page.close();
  await expect(second.getByRole("button", { name: "Cut network of Anouk" })).toBeEnabled();
  for (const client of CLIENTS) await expectState(second, client, "live");
});

function frameOf(page: Page, client: string): Locator {
  return page.locator(`[data-testid="demo-frame"][data-client="${client}"]`);
}

/** Checks the connection state that the client in the frame shows. */
async function expectState(page: Page, client: string, state: string): Promise<void> {
  const connection = frameOf(page, client).locator("iframe").contentFrame().getByTestId("connection");
  await expect(connection).toHaveAttribute("data-state", state, { timeout: 20_000 });
}

async function expectSeen(page: Page, viewer: string, subject: string, status: string): Promise<void> {
  const screen = frameOf(page, viewer).locator("iframe").contentFrame();
  const row = screen.locator(`[data-testid="contact"][data-client="${subject}"]`);
  await expect(row).toHaveAttribute("data-status", status);
}

function marks(page: Page, { viewer, subject, status }: { viewer: string; subject: string; status: string }): Locator {
  return page.locator(
    `[data-testid="mark"][data-viewer="${viewer}"][data-subject="${subject}"][data-status="${status}"]`,
  );
}

function pressMarks(page: Page, client: string, kind: string): Locator {
  return page.locator(`[data-testid="press-mark"][data-client="${client}"][data-kind="${kind}"]`);
}
