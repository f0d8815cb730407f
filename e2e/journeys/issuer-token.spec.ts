import type { Page } from "@playwright/test";
import { ClientPage } from "../fixtures/client-page.ts";
import { signToken } from "../fixtures/issuer-token.ts";
import { expect, test } from "../fixtures/test.ts";

const SECRET = "a secret that the issuer and the server share";
const HOUR_S = 60 * 60;

test.use({
  serverEnv: { AUTH_JWT_SECRET: SECRET, HOST: "localhost" },
  expectedBrowserErrors: [/status of 40[14]/],
});

function expiryInS(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

test("a token in the link signs in, and leaves the address bar", async ({ page, server }) => {
  const token = signToken(SECRET, { sub: "magali", exp: expiryInS(HOUR_S) });
  const magali = new ClientPage(page);

  await page.goto(`/#token=${token}`);
  await magali.isLive();
  await magali.sees("anouk", "OFFLINE");
  expect(page.url()).toBe(`${server.url}/`);

  await page.reload();
  await magali.isLive();

  expect(await page.evaluate(() => history.length), "nor does it stay in the history, behind about:blank").toBe(2);
});

test("a pasted token signs in, and says what is wrong where it can't", async ({ page }) => {
  await page.goto("/");
  const token = page.getByLabel("Token");
  const signIn = page.getByRole("button", { name: "Sign in" });

  await token.fill("this is no token");
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
    words: "The token doesn't count",
  },
  {
    what: "that has expired",
    token: () => signToken(SECRET, { sub: "omar", exp: expiryInS(-HOUR_S) }),
    words: "The token has expired",
  },
  {
    what: "without an expiry",
    token: () => signToken(SECRET, { sub: "omar" }),
    words: "The token doesn't count",
  },
];

for (const { what, token, words } of REFUSED) {
  test(`a token ${what} is refused in words`, async ({ page, server }) => {
    await page.goto(`/#token=${token()}`);

    await expectRefusal(page, words);
    expect(await server.metric("presence_connected_clients")).toBe(0);
    expect(page.url()).toBe(`${server.url}/`);
  });
}

test("a token that expires while one is there ends the stay, and says so", async ({ page }) => {
  const magali = new ClientPage(page);
  await page.goto(`/#token=${signToken(SECRET, { sub: "magali", exp: expiryInS(4) })}`);
  await magali.isLive();

  await expectRefusal(page, "The token has expired");
});

async function expectRefusal(page: Page, words: string): Promise<void> {
  const main = page.getByRole("main");
  await expect(main.getByRole("heading", { name: words })).toBeVisible();
  await expect(main.getByLabel("Token")).toBeVisible();
}
