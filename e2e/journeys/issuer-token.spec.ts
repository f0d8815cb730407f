import type { Page } from "@playwright/test";
import { ClientPage } from "../fixtures/client-page.ts";
import { signToken } from "../fixtures/issuer-token.ts";
import { expect, test } from "../fixtures/test.ts";

const SECRET = "a secret that the issuer and the server share";
const HOUR_S = 60 * 60;
/** Longer than a page needs to connect on a busy machine. */
const TOKEN_LIFETIME_S = 15;

test.use({
  serverEnv: { AUTH_JWT_SECRET: SECRET, HOST: "localhost" },
  expectedBrowserErrors: [/status of 40[14]/],
});

function expiryInS(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

test("a token in the link signs in and is removed from the address bar", async ({ page, server }) => {
  const token = signToken(SECRET, { sub: "magali", exp: expiryInS(HOUR_S) });
  const magali = new ClientPage(page);

  await page.goto(`/#token=${token}`);
  await magali.isLive();
  await magali.sees("anouk", "OFFLINE");
  expect(page.url()).toBe(`${server.url}/`);

  await page.reload();
  await magali.isLive();

  expect(
    await page.evaluate(() => history.length),
    "the token is not in the history, which starts with about:blank",
  ).toBe(2);
});

test("a pasted token signs in, and an invalid one shows an error", async ({ page }) => {
  await page.goto("/");
  const token = page.getByLabel("Token");
  const signIn = page.getByRole("button", { name: "Sign in" });

  await token.fill("not a token");
  await signIn.click();
  await expect(page.getByRole("status")).toContainText(/token/i);
  await expect(token).toHaveAttribute("aria-invalid", "true");

  await token.fill(signToken(SECRET, { sub: "magali", exp: expiryInS(HOUR_S) }));
  await signIn.click();
  await new ClientPage(page).isLive();
});

const REFUSED = [
  {
    what: "of another issuer",
    token: () => signToken("another issuer's secret", { sub: "omar", exp: expiryInS(HOUR_S) }),
    title: "Token invalid",
  },
  {
    what: "that has expired",
    token: () => signToken(SECRET, { sub: "omar", exp: expiryInS(-HOUR_S) }),
    title: "Token expired",
  },
  {
    what: "without an expiry",
    token: () => signToken(SECRET, { sub: "omar" }),
    title: "Token invalid",
  },
];

for (const { what, token, title } of REFUSED) {
  test(`a token ${what} is refused with an explanation`, async ({ page, server }) => {
    await page.goto(`/#token=${token()}`);

    await expectRefusal(page, title);
    expect(await server.metric("presence_connected_clients")).toBe(0);
    expect(page.url()).toBe(`${server.url}/`);
  });
}

test("a token that expires ends the session with an explanation", async ({ page }) => {
  const magali = new ClientPage(page);
  await page.goto(`/#token=${signToken(SECRET, { sub: "magali", exp: expiryInS(TOKEN_LIFETIME_S) })}`);
  await magali.isLive();

  await expectRefusal(page, "Token expired");
});

async function expectRefusal(page: Page, title: string): Promise<void> {
  const main = page.getByRole("main");
  await expect(main.getByRole("heading", { name: title })).toBeVisible({ timeout: 2_000 * TOKEN_LIFETIME_S });
  await expect(main.getByLabel("Token")).toBeVisible();
}
