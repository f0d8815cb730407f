import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

test("a typed name joins as a guest, listed for all clients while online", async ({ context, page, server }) => {
  const anouk = await ClientPage.open(context, "anouk");
  await anouk.doesNotList("elise-martin");

  await page.goto("/");
  await page.getByLabel("Or type a name").fill("Élise Martin");
  await page.getByRole("button", { name: "Join" }).click();

  const elise = new ClientPage(page);
  await elise.isLive();
  expect(page.url()).toBe(`${server.url}/?as=elise-martin`);
  await elise.sees("anouk", "ONLINE");
  await elise.sees("wei", "OFFLINE");
  await anouk.sees("elise-martin", "ONLINE");
  await expect(anouk.contact("elise-martin")).toContainText("Elise Martin");
  await expect(anouk.contact("elise-martin")).toContainText("Guest");

  await elise.close();
  await anouk.doesNotList("elise-martin");
});

test("a click on a person signs in as that person", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("link", { name: /Magali Dubois/ }).click();
  await new ClientPage(page).isLive();
  await expect(page).toHaveTitle(/Magali/);
  await expect(page.locator('[data-client="magali"]').first()).toBeAttached();
});

for (const { what, id } of [
  { what: "with invalid characters", id: "not/an/id" },
  { what: "that is empty", id: "" },
  { what: "of 5,000 characters", id: "x".repeat(5_000) },
  { what: "with a control character", id: "%00" },
]) {
  test(`a link with a name ${what} shows an error and a link to the start page`, async ({ page }) => {
    await page.goto(`/?as=${id}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("This id can’t be used");
    await page.getByRole("link", { name: "Pick a person" }).click();
    await expect(page.getByRole("heading", { name: "Who are you?" })).toBeVisible();
  });
}

test("__proto__ is a valid name", async ({ context }) => {
  const anouk = await ClientPage.open(context, "anouk");
  const guest = await ClientPage.open(context, "__proto__");
  await anouk.sees("__proto__", "ONLINE");
  await guest.sees("anouk", "ONLINE");
});
