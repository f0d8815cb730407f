import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

test("search and filter find contacts, and the counts are updated", async ({ context, listenAs }) => {
  await listenAs("omar");
  const anouk = await ClientPage.open(context, "anouk");
  const { page } = anouk;
  const search = page.getByRole("searchbox", { name: "Search contacts" });
  const rows = page.getByTestId("contact");
  await anouk.sees("omar", "ONLINE");
  await expect(page.getByRole("heading", { name: "Online 1" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Offline 10" })).toBeVisible();

  await page.keyboard.press("/");
  await expect(search).toBeFocused();
  await page.keyboard.type("ines");
  await expect(rows).toHaveCount(1);
  await anouk.sees("ines", "OFFLINE");
  await page.keyboard.press("Escape");
  await expect(search).toHaveValue("");
  await expect(rows).toHaveCount(11);

  await search.fill("no such contact");
  await expect(page.getByText("No one matches “no such contact”")).toBeVisible();
  await page.getByRole("button", { name: "Show everyone" }).click();
  await expect(rows).toHaveCount(11);

  await page.locator("label", { hasText: "Online" }).click();
  await expect(rows).toHaveCount(1);
  await listenAs("magali");
  await expect(rows).toHaveCount(2);
  await page.locator("label", { hasText: "Offline" }).click();
  await expect(rows).toHaveCount(9);
});

test("the keyboard moves the focus through the list", async ({ context, listenAs }) => {
  await listenAs("omar");
  const { page } = await ClientPage.open(context, "anouk");
  const rows = page.getByTestId("contact");
  await expect(rows).toHaveCount(11);
  const search = page.getByRole("searchbox", { name: "Search contacts" });
  await search.focus();

  const focused = () =>
    page.evaluate(() => document.activeElement?.closest("[data-client]")?.getAttribute("data-client"));
  await page.keyboard.press("ArrowDown");
  await expect.poll(focused).toBe("omar");
  await page.keyboard.press("End");
  const last = await rows.last().getAttribute("data-client");
  await expect.poll(focused).toBe(last);
  await page.keyboard.press("Home");
  await expect.poll(focused).toBe("omar");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
});

test("the accessible name of a row contains its status", async ({ context, listenAs }) => {
  await listenAs("omar");
  const anouk = await ClientPage.open(context, "anouk");
  await expect(anouk.contact("omar").getByRole("button")).toHaveAccessibleName(/Omar Haddad.*Online/);
  await expect(anouk.contact("magali").getByRole("button")).toHaveAccessibleName(/Magali Dubois.*Offline/);
});
