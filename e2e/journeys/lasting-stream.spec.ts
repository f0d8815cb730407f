import { ClientPage } from "../fixtures/client-page.ts";
import { untilLeasesEnd } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";

test.use({ heartbeatIntervalMs: 1_000 });

/** It pings twice an interval, and would give its stream up after two pings of which it hears nothing. */
test("a browser that is let be keeps its stream", async ({ context, server, listenAs }) => {
  const noor = await listenAs("noor");
  const anouk = await ClientPage.open(context, "anouk");
  await untilLeasesEnd(server, noor);
  await untilLeasesEnd(server, noor);

  await anouk.isLive();
  expect(await server.metric("presence_connections_closed_total"), "those of wei, who came twice").toBe(2);
});
