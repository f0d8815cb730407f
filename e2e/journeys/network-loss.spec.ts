import { ClientPage } from "../fixtures/client-page.ts";
import { ghostLimitMs, waitForLeaseEnd } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";

test("a client without network is OFFLINE to others within three intervals, and its own list is stale", async ({
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
  await expect(magali.activityOf("anouk"), "the missed change is listed").toHaveCount(1);
  anouk.close();
});

test("a short network loss causes no event", async ({ context, network, server, listenAs }) => {
  const noor = await listenAs("noor");
  const magali = await ClientPage.open(context, "magali", network.url);
  await magali.sees("noor", "ONLINE");

  network.cut();
  await listenAs("anouk");
  await noor.next("anouk", "ONLINE");
  network.restore();
  await magali.sees("anouk", "ONLINE");
  await waitForLeaseEnd(server, noor);

  expect(noor.changesOf("magali")).toHaveLength(1);
  await magali.isLive();
});

test("an offline browser shows that it is offline, and reconnects automatically", async ({
  context,
  network,
  listenAs,
}) => {
  await listenAs("noor");
  const magali = await ClientPage.open(context, "magali", network.url);
  await magali.sees("noor", "ONLINE");

  // `setOffline` applies to pages only, not to their worker.
  network.cut();
  await context.setOffline(true);
  await magali.isLinked("offline");
  await magali.sees("noor", "UNKNOWN");

  network.restore();
  await context.setOffline(false);
  await magali.isLive();
  await magali.sees("noor", "ONLINE");
});
