import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

test("rows don't move while the pointer is among them, and do when it has left", async ({ context, listenAs }) => {
  const anouk = await ClientPage.open(context, "anouk");
  const row = anouk.contact("sofia");
  const top = async () => (await row.boundingBox())?.y;
  await anouk.sees("sofia", "OFFLINE");
  const note = anouk.page.getByText("Nobody is online.");
  await expect(note, "the place that is kept for who comes first").toBeVisible();
  await row.hover();
  const before = (await top()) ?? 0;

  await listenAs("sofia");
  await anouk.sees("sofia", "ONLINE");
  await expect(note, "there is somebody, whose row has yet to move there").toHaveCount(0);
  await listenAs("magali");
  await anouk.sees("magali", "ONLINE");
  expect(await top(), "the badge changes, the row stays").toBeCloseTo(before, 0);

  await anouk.page.mouse.move(2, 2);
  await expect.poll(top).toBeLessThan(before - 10);
  await expect(anouk.page.getByRole("heading", { name: "Online 2" })).toBeVisible();
});
