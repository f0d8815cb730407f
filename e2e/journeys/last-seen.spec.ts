import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

test.use({ heartbeatIntervalMs: 500 });

test("'Last seen' is updated as time passes", async ({ context, listenAs }) => {
  const anouk = await ClientPage.open(context, "anouk");
  const magali = await listenAs("magali");
  await anouk.sees("magali", "ONLINE");
  await expect(anouk.contact("omar")).toContainText("Not seen yet");

  magali.close();
  await anouk.sees("magali", "OFFLINE");
  await expect(anouk.contact("magali")).toContainText("Last seen just now");
  await expect(anouk.contact("magali")).toContainText("Last seen 5 s ago");
  await expect(anouk.contact("magali")).toContainText("Last seen 10 s ago");
});
