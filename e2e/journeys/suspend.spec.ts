import { startBackgroundBrowser } from "../fixtures/background-browser.ts";
import { ClientPage } from "../fixtures/client-page.ts";
import { ghostLimitMs, waitForLeaseEnd } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";

test("the client of a suspended browser is OFFLINE to others, and shows current statuses after it resumes", async ({
  server,
  listenAs,
}) => {
  const noor = await listenAs("noor");
  const browser = await startBackgroundBrowser();
  try {
    const magali = await ClientPage.open(browser.context, "magali", server.url);
    await magali.sees("noor", "ONLINE");

    browser.suspend();
    const suspendedAt = Date.now();
    const { since } = await noor.next("magali", "OFFLINE");
    expect(since - suspendedAt).toBeLessThanOrEqual(ghostLimitMs(server));
    await listenAs("anouk");
    browser.resume();

    await noor.next("magali", "ONLINE");
    await magali.isLive();
    await magali.sees("anouk", "ONLINE");
    await magali.sees("noor", "ONLINE");
  } finally {
    browser.resume();
    await browser.close();
  }
});

test("a suspended server reports no client as OFFLINE after it resumes", async ({ context, server, listenAs }) => {
  const noor = await listenAs("noor");
  const magali = await ClientPage.open(context, "magali");
  await magali.sees("noor", "ONLINE");
  await noor.next("magali", "ONLINE");

  server.suspend();
  await magali.isLinked("reconnecting");
  await magali.sees("noor", "UNKNOWN");
  server.resume();
  await magali.isLive();
  await waitForLeaseEnd(server, noor);

  expect(noor.changesOf("magali")).toHaveLength(1);
  await magali.sees("noor", "ONLINE");
});
