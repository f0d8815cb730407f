import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

test("announces clients that come online and go offline together, but not those that were online before", async ({
  context,
  listenAs,
}) => {
  await listenAs("omar");
  const anouk = await ClientPage.open(context, "anouk");
  await anouk.sees("omar", "ONLINE");
  const announcer = anouk.page.getByTestId("announcer");
  await expect(announcer).toBeEmpty();

  const [magali] = await Promise.all(["magali", "noor", "kenji"].map(listenAs));
  await expect(announcer).toHaveText(/^(Magali Dubois|Noor van Dijk|Kenji Watanabe) and 2 others came online\.$/);

  magali?.close();
  await expect(announcer).toHaveText("Magali Dubois went offline.");
});
