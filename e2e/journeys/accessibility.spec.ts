import { expectAccessible } from "../fixtures/accessibility.ts";
import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

const PHONE = { width: 390, height: 844 };

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`axe finds no violation in the ${colorScheme} theme`, () => {
    test.use({ colorScheme });

    test("on the start page", async ({ page }) => {
      await page.goto("/");
      await expect(page.getByRole("link", { name: /Magali/ })).toBeVisible();
      await expectAccessible(page);

      await page.setViewportSize(PHONE);
      await expectAccessible(page);

      await page.getByLabel("Or type a name").fill("。。。");
      await expectAccessible(page);
    });

    test("with an invalid id in the link", async ({ page }) => {
      await page.goto("/?as=not/an/id");
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await expectAccessible(page);
    });

    test.describe("with a 404", () => {
      test.use({ expectedBrowserErrors: [/status of 404/] });

      test("on an unknown page", async ({ page }) => {
        await page.goto("/no-such-page");
        await expect(page.getByRole("heading", { name: "There’s nothing at this address" })).toBeVisible();
        await expectAccessible(page);
        await page.getByRole("link", { name: "Go to the start page" }).click();
        await expect(page.getByRole("heading", { name: "Who are you?" })).toBeVisible();
      });
    });

    test("on the contact list and a contact's details", async ({ context, listenAs }) => {
      await listenAs("omar");
      const anouk = await ClientPage.open(context, "anouk");
      await listenAs("magali");
      await anouk.sees("magali", "ONLINE");
      await expect(anouk.activityOf("magali")).toHaveCount(1);
      await expectAccessible(anouk.page);

      await anouk.contact("omar").click();
      await expect(anouk.page.getByRole("dialog")).toBeVisible();
      await expectAccessible(anouk.page);
      await anouk.page.keyboard.press("Escape");

      await anouk.page.getByRole("searchbox", { name: "Search contacts" }).fill("no such contact");
      await expectAccessible(anouk.page);
    });

    test("on the contact list and the activity list of a phone", async ({ context, listenAs }) => {
      const anouk = await ClientPage.open(context, "anouk");
      await anouk.page.setViewportSize(PHONE);
      await listenAs("magali");
      await anouk.sees("magali", "ONLINE");
      await expectAccessible(anouk.page);

      await anouk.page.locator("label", { hasText: "Activity" }).click();
      await expect(anouk.activityOf("magali")).toBeVisible();
      await expectAccessible(anouk.page);
    });

    test("while reconnecting", async ({ context, network, listenAs }) => {
      await listenAs("noor");
      const magali = await ClientPage.open(context, "magali", network.url);
      await magali.sees("noor", "ONLINE");
      network.cut();
      await magali.isLinked("reconnecting");
      await expectAccessible(magali.page);
    });

    test("after signing out", async ({ context }) => {
      const magali = await ClientPage.open(context, "magali");
      await magali.signOut();
      await magali.isLinked("signed-out");
      await expectAccessible(magali.page);
    });

    test("on the demo page", async ({ page }) => {
      await page.goto("/demo");
      await expect(page.getByTestId("demo-frame")).toHaveCount(3);
      for (const frame of await page.getByTestId("demo-frame").all()) {
        await expect(frame.locator("iframe").contentFrame().getByTestId("connection")).toHaveAttribute(
          "data-state",
          "live",
        );
      }
      await expectAccessible(page);

      await page.setViewportSize(PHONE);
      await expectAccessible(page);
    });

    test.describe("with an issuer's tokens", () => {
      test.use({ serverEnv: { AUTH_JWT_SECRET: "a secret that the issuer and the server share", HOST: "localhost" } });
      test.use({ expectedBrowserErrors: [/status of 40[14]/] });

      test("on the start page", async ({ page }) => {
        await page.goto("/");
        await page.getByLabel("Token").fill("not a token");
        await expectAccessible(page);
        await page.getByRole("button", { name: "Sign in" }).click();
        await expect(page.getByLabel("Token")).toHaveAttribute("aria-invalid", "true");
        await expectAccessible(page);
      });
    });
  });
}
