import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

test("'Open another client' opens the next client that is not open yet in a new tab", async ({ context }) => {
  const anouk = await ClientPage.open(context, "anouk");
  const another = anouk.page.getByRole("link", { name: "Open another client" });

  const [magaliPage] = await Promise.all([context.waitForEvent("page"), another.click()]);
  const magali = new ClientPage(magaliPage);
  await magali.isLive();
  await expect(magaliPage).toHaveURL(/\/\?as=magali$/);
  await expect(magaliPage).toHaveTitle("Magali · Presence");
  await anouk.sees("magali", "ONLINE");

  await expect(another).toHaveAttribute("href", "/?as=omar");
});
