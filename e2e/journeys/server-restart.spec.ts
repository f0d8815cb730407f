import { ClientPage } from "../fixtures/client-page.ts";
import { waitForLeaseEnd } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";

test.use({ expectedBrowserErrors: [/ERR_CONNECTION_REFUSED/, /ERR_INCOMPLETE_CHUNKED_ENCODING/, /status of 401/] });

for (const ending of ["kill", "stop"] as const) {
  test(`all tabs recover automatically after a server's ${ending}`, async ({ context, server, listenAs }) => {
    const anouk = await ClientPage.open(context, "anouk");
    const magali = await ClientPage.open(context, "magali");
    await anouk.sees("magali", "ONLINE");
    await anouk.sees("omar", "OFFLINE");
    await expect(anouk.activityOf("magali")).toHaveCount(1);

    await server[ending]();
    for (const tab of [anouk, magali]) await tab.isLinked("reconnecting");
    await anouk.sees("magali", "UNKNOWN");
    await anouk.sees("omar", "UNKNOWN");

    await server.restart();
    for (const tab of [anouk, magali]) await tab.isLive();
    await anouk.sees("magali", "ONLINE");
    await magali.sees("anouk", "ONLINE");
    await anouk.sees("omar", "OFFLINE");

    const noor = await listenAs("noor");
    await waitForLeaseEnd(server, noor);
    expect(noor.online).toContain("magali");
    expect(noor.changesOf("magali"), "no client flaps afterwards").toEqual([]);
    await expect(
      anouk.activityOf("magali"),
      "a client that was online before and after has no further entry",
    ).toHaveCount(1);
  });
}
