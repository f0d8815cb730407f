import { ClientPage } from "../fixtures/client-page.ts";
import { waitForLeaseEnd } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";

test.describe("with a lease longer than the test", () => {
  test.use({ heartbeatIntervalMs: 600_000 });

  test("a client that signs out is OFFLINE before its lease ends, and can sign in again", async ({
    context,
    listenAs,
  }) => {
    const noor = await listenAs("noor");
    const anouk = await ClientPage.open(context, "anouk");
    const magali = await ClientPage.open(context, "magali");
    await anouk.sees("magali", "ONLINE");

    await magali.signOut();
    await noor.next("magali", "OFFLINE");
    await anouk.sees("magali", "OFFLINE");
    await magali.isLinked("signed-out");
    await expect(magali.page.getByText("You’re signed out")).toBeVisible();
    await anouk.isLive();

    await magali.signInAgain();
    await magali.isLive();
    await noor.next("magali", "ONLINE");
    await anouk.sees("magali", "ONLINE");
    await magali.sees("anouk", "ONLINE");
  });
});

test("signing out in one tab signs out the client's other tabs, but no other client", async ({
  context,
  server,
  listenAs,
}) => {
  const noor = await listenAs("noor");
  const anouk = await ClientPage.open(context, "anouk");
  const first = await ClientPage.open(context, "magali");
  const second = await ClientPage.open(context, "magali");

  await first.signOut();
  await second.isLinked("signed-out");
  await noor.next("magali", "OFFLINE");
  await waitForLeaseEnd(server, noor);

  await anouk.isLive();
  expect(noor.changesOf("anouk")).toHaveLength(1);
  expect(noor.changesOf("magali")).toHaveLength(2);
});

test("a client signed in with another browser stays online", async ({ context, browser, server, listenAs }) => {
  const noor = await listenAs("noor");
  const here = await ClientPage.open(context, "magali");
  const elsewhere = await browser.newContext({ baseURL: server.url });
  const there = await ClientPage.open(elsewhere, "magali");

  await here.signOut();
  await here.isLinked("signed-out");
  await waitForLeaseEnd(server, noor);

  await there.isLive();
  expect(noor.changesOf("magali")).toHaveLength(1);
  await elsewhere.close();
});
