import { ClientPage } from "../fixtures/client-page.ts";
import { waitForLeaseEnd } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";

// A reload must take less than half an interval. On a busy machine it takes more than a second.
test.use({ heartbeatIntervalMs: 5_000 });

test("a reload causes no event", async ({ context, server, listenAs }) => {
  const noor = await listenAs("noor");
  const anouk = await ClientPage.open(context, "anouk");
  const magali = await ClientPage.open(context, "magali");
  await anouk.sees("magali", "ONLINE");

  for (let times = 0; times < 3; times += 1) {
    await magali.page.reload();
    await magali.isLive();
  }
  await waitForLeaseEnd(server, noor);

  expect(noor.changesOf("magali")).toHaveLength(1);
  await expect(anouk.activityOf("magali")).toHaveCount(1);
  await anouk.sees("magali", "ONLINE");
});

test("a reload of a browser's only tab causes no event", async ({ context, server, listenAs }) => {
  const noor = await listenAs("noor");
  const magali = await ClientPage.open(context, "magali");

  for (let times = 0; times < 3; times += 1) {
    await magali.page.reload();
    await magali.isLive();
  }
  await waitForLeaseEnd(server, noor);

  expect(noor.changesOf("magali")).toHaveLength(1);
});
