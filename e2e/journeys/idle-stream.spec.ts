import { ClientPage } from "../fixtures/client-page.ts";
import { waitForLeaseEnd } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";

test.use({ heartbeatIntervalMs: 1_000 });

/** A browser pings twice per interval, and reconnects after two pings without an answer. */
test("an idle browser keeps its stream open", async ({ context, server, listenAs }) => {
  const noor = await listenAs("noor");
  const anouk = await ClientPage.open(context, "anouk");
  await waitForLeaseEnd(server, noor);
  await waitForLeaseEnd(server, noor);

  await anouk.isLive();
  expect(await server.metric("presence_connections_closed_total"), "the two connections of wei").toBe(2);
});
