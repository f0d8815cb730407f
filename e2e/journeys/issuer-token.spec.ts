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

  await page.goBack({ waitUntil: "commit" });
  await page.goForward({ waitUntil: "commit" });
  expect(page.url(), "nor does the token stay in the history").toBe(`${server.url}/`);
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
  },
  { what: "that has expired", token: () => signToken(SECRET, { sub: "omar", exp: expiryInS(-HOUR_S) }) },
  { what: "without an expiry", token: () => signToken(SECRET, { sub: "omar" }) },
];

for (const { what, token } of REFUSED) {
  test(`a token ${what} is refused in words`, async ({ page, server }) => {
    await page.goto(`/#token=${token()}`);

    await expectRefusal(page);
    expect(await server.metric("presence_connected_clients")).toBe(0);
    expect(page.url()).toBe(`${server.url}/`);
  });
}

test("a token that expires while one is there ends the stay, and says so", async ({ page }) => {
  const magali = new ClientPage(page);
  await page.goto(`/#token=${signToken(SECRET, { sub: "magali", exp: expiryInS(4) })}`);
  await magali.isLive();

  await expectRefusal(page);
});

async function expectRefusal(page: Page): Promise<void> {
  const main = page.getByRole("main");
  await expect(main.getByText("This server wants a token")).toBeVisible();
  await expect(main.getByText(/sign in again/i)).toBeVisible();
  await expect(main.getByLabel("Token")).toBeVisible();
}
