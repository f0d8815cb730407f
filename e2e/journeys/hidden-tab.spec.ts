import { startBackgroundBrowser } from "../fixtures/background-browser.ts";
import { ClientPage } from "../fixtures/client-page.ts";
import { untilLeasesEnd } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";

test.use({ heartbeatIntervalMs: 1_500 });

test("a hidden tab, its timers throttled to one a minute, stays online", async ({ server, listenAs }) => {
  const noor = await listenAs("noor");
  const browser = await startBackgroundBrowser();
  try {
    const magali = await ClientPage.open(browser.context, "magali", server.url);
    const front = await browser.context.newPage();
    await front.bringToFront();
    expect(await magali.page.evaluate(() => document.visibilityState)).toBe("hidden");
    await magali.page.evaluate(() => {
      let beats = 0;
      setInterval(() => {
        beats += 1;
        document.documentElement.dataset["beats"] = String(beats);
      }, 100);
    });

    for (let leases = 0; leases < 3; leases += 1) await untilLeasesEnd(server, noor);

    const beats = Number(await magali.page.evaluate(() => document.documentElement.dataset["beats"]));
    expect(beats, "this is a throttled page: in front it would have beaten ten times a second").toBeLessThan(20);
    expect(noor.changesOf("magali")).toHaveLength(1);

    await listenAs("anouk");
    await magali.page.bringToFront();
    await magali.isLive();
    await magali.sees("anouk", "ONLINE");
  } finally {
    await browser.close();
  }
});
