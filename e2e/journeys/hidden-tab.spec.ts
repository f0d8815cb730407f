import { startBackgroundBrowser } from "../fixtures/background-browser.ts";
import { ClientPage } from "../fixtures/client-page.ts";
import { waitForLeaseEnd } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";

test.use({ heartbeatIntervalMs: 1_500 });

test("a hidden tab stays online although its timers run once a minute", async ({ server, listenAs }) => {
  const noor = await listenAs("noor");
  const browser = await startBackgroundBrowser();
  try {
    const magali = await ClientPage.open(browser.context, "magali", server.url);
    const front = await browser.context.newPage();
    await front.bringToFront();
    expect(await magali.page.evaluate(() => document.visibilityState)).toBe("hidden");
    await magali.page.evaluate(() => {
      let ticks = 0;
      setInterval(() => {
        ticks += 1;
        document.documentElement.dataset["ticks"] = String(ticks);
      }, 100);
    });

    for (let leases = 0; leases < 3; leases += 1) await waitForLeaseEnd(server, noor);

    const ticks = Number(await magali.page.evaluate(() => document.documentElement.dataset["ticks"]));
    expect(ticks, "the timers are throttled: in front they would run ten times a second").toBeLessThan(20);
    expect(noor.changesOf("magali")).toHaveLength(1);

    await listenAs("anouk");
    await magali.page.bringToFront();
    await magali.isLive();
    await magali.sees("anouk", "ONLINE");
  } finally {
    await browser.close();
  }
});
