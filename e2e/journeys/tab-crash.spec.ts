import { ClientPage } from "../fixtures/client-page.ts";
import { ghostLimitMs } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";

test("the client of a crashed tab is OFFLINE to others while the browser keeps running", async ({
  context,
  server,
  listenAs,
}) => {
  const noor = await listenAs("noor");
  const anouk = await ClientPage.open(context, "anouk");
  const magali = await ClientPage.open(context, "magali");
  await anouk.sees("magali", "ONLINE");

  const crashed = magali.page.waitForEvent("crash");
  const session = await context.newCDPSession(magali.page);
  const crashedAt = Date.now();
  session.send("Page.crash").catch(() => {
    // A crashed page does not answer the command.
  });
  await crashed;

  const { since } = await noor.next("magali", "OFFLINE");
  expect(since - crashedAt).toBeLessThanOrEqual(ghostLimitMs(server));
  await anouk.sees("magali", "OFFLINE");
  await anouk.isLive();
  expect(noor.changesOf("anouk")).toHaveLength(1);
});
