import { ClientPage } from "../fixtures/client-page.ts";
import { ghostLimitMs, untilLeasesEnd } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";

test("a vanished network is OFFLINE to others within three intervals, and stale to oneself", async ({
  context,
  network,
  server,
  listenAs,
}) => {
  const noor = await listenAs("noor");
  const magali = await ClientPage.open(context, "magali", network.url);
  await magali.sees("noor", "ONLINE");

  const cutAt = Date.now();
  network.cut();

  const { since } = await noor.next("magali", "OFFLINE");
  expect(since - cutAt).toBeLessThanOrEqual(ghostLimitMs(server));
  await magali.isLinked("reconnecting");
  await magali.sees("noor", "UNKNOWN");
  await expect(magali.page.getByText(/as of \d/i).first()).toBeVisible();

  const anouk = await listenAs("anouk");
  network.restore();

  await noor.next("magali", "ONLINE");
  await magali.isLive();
  await magali.sees("noor", "ONLINE");
  await magali.sees("anouk", "ONLINE");
  await expect(magali.activityOf("anouk"), "what was missed is told").toHaveCount(1);
  anouk.close();
});

test("a short cut is no event to others", async ({ context, network, server, listenAs }) => {
  const noor = await listenAs("noor");
  const magali = await ClientPage.open(context, "magali", network.url);
  await magali.sees("noor", "ONLINE");

  network.cut();
  await listenAs("anouk");
  await noor.next("anouk", "ONLINE");
  network.restore();
  await magali.sees("anouk", "ONLINE");
  await untilLeasesEnd(server, noor);

  expect(noor.changesOf("magali")).toHaveLength(1);
  await magali.isLive();
});

test("a browser that knows it is offline says so, and comes back by itself", async ({ context, network, listenAs }) => {
  await listenAs("noor");
  const magali = await ClientPage.open(context, "magali", network.url);
  await magali.sees("noor", "ONLINE");

  // Playwright tells the pages that they are offline, and cuts them off; their worker it leaves alone.
  network.cut();
  await context.setOffline(true);
  await magali.isLinked("offline");
  await magali.sees("noor", "UNKNOWN");

  network.restore();
  await context.setOffline(false);
  await magali.isLive();
  await magali.sees("noor", "ONLINE");
});
