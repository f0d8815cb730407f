import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

const WORKER_SCRIPT = /\/assets\/worker-/;

test.use({ expectedBrowserErrors: [/worker|ERR_FAILED|404/i] });

test("a page whose worker can't be loaded says so, and its button loads the worker", async ({ context, server }) => {
  await context.route(WORKER_SCRIPT, (route) => route.fulfill({ status: 404 }));
  const anouk = new ClientPage(await context.newPage());
  await anouk.page.clock.install();
  await anouk.page.goto("/?as=anouk");
  await expect(anouk.page.getByRole("heading", { name: "A part of this page couldn’t be loaded" })).toBeVisible();
  await anouk.isLinked("reconnecting");
  await expect(anouk.page.getByRole("button", { name: "Reload the page" })).toBeVisible();

  // While the page's timers stand still, only the button can start an attempt.
  await anouk.page.clock.pauseAt(Date.now() + 60_000);
  await expect(anouk.page.getByText(/Trying again in \d/)).toBeVisible();
  await context.unroute(WORKER_SCRIPT);
  await anouk.page.getByRole("button", { name: "Try now" }).click();
  await anouk.isLive();
  await anouk.page.clock.resume();
  await anouk.sees("magali", "OFFLINE");
  expect(await server.metric("presence_connected_clients")).toBe(1);
});

test("a page leaves no lock behind when its client signs in as someone else", async ({ context }) => {
  const anouk = await ClientPage.open(context, "anouk");
  const magali = await ClientPage.open(context, "magali");
  await expect.poll(() => heldLocks(anouk)).toBe(3);
  await magali.page.goto("/");
  await expect.poll(() => heldLocks(anouk), "one of the page, and one of the worker").toBe(2);
});

/** The number of Web Locks that the pages and workers of the browser hold. */
function heldLocks({ page }: ClientPage): Promise<number> {
  return page.evaluate(async () => (await navigator.locks.query()).held?.length ?? 0);
}
