import { ClientPage } from "../fixtures/client-page.ts";
import { waitForLeaseEnd } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";

test("two tabs of one client share a stream, and the client is OFFLINE when the last one is closed", async ({
  context,
  server,
  listenAs,
}) => {
  const noor = await listenAs("noor");
  const first = await ClientPage.open(context, "magali");
  const second = await ClientPage.open(context, "magali");
  await second.sees("noor", "ONLINE");
  expect(await server.metric("presence_connections"), "the streams of noor and magali").toBe(2);

  await first.close();
  await waitForLeaseEnd(server, noor);
  expect(noor.changesOf("magali"), "one of two tabs closed").toHaveLength(1);
  await second.isLive();
  await second.sees("noor", "ONLINE");

  await second.close();
  await noor.next("magali", "OFFLINE");
  expect(noor.changesOf("magali")).toHaveLength(2);
});
