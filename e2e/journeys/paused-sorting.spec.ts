import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

test("rows do not move while the pointer is over the list, and move when it has left", async ({
  context,
  listenAs,
}) => {
  const anouk = await ClientPage.open(context, "anouk");
  const row = anouk.contact("sofia");
  const top = async () => (await row.boundingBox())?.y;
  await anouk.sees("sofia", "OFFLINE");
  const note = anouk.page.getByText("Nobody is online.");
  await expect(note, "the note of the empty online section").toBeVisible();
  await row.hover();
  const before = (await top()) ?? 0;

  await listenAs("sofia");
  await anouk.sees("sofia", "ONLINE");
  await expect(note, "a contact is online, but its row has not moved yet").toHaveCount(0);
  await listenAs("magali");
  await anouk.sees("magali", "ONLINE");
  expect(await top(), "the badge changes, but the row does not move").toBeCloseTo(before, 0);

  await anouk.page.mouse.move(2, 2);
  await expect.poll(top).toBeLessThan(before - 10);
  await expect(anouk.page.getByRole("heading", { name: "Online 2" })).toBeVisible();
});
