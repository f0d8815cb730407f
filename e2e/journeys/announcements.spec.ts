import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

test("who comes and goes is said aloud, in one go, and not who was there before", async ({ context, listenAs }) => {
  await listenAs("omar");
  const anouk = await ClientPage.open(context, "anouk");
  await anouk.sees("omar", "ONLINE");
  const said = anouk.page.getByTestId("announcer");
  await expect(said).toBeEmpty();

  const [magali] = await Promise.all(["magali", "noor", "kenji"].map(listenAs));
  await expect(said).toHaveText(/^(Magali Dubois|Noor van Dijk|Kenji Watanabe) and 2 others came online\.$/);

  magali?.close();
  await expect(said).toHaveText("Magali Dubois went offline.");
});
