import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

test.use({ serverEnv: { MAX_CONNECTIONS: "1" }, expectedBrowserErrors: [/status of 503/] });

test("a full server is shown, and the client connects automatically when there is room", async ({
  context,
  listenAs,
}) => {
  const omar = await listenAs("omar");
  const anouk = new ClientPage(await context.newPage());
  await anouk.page.goto("/?as=anouk");

  await anouk.isLinked("full");
  await expect(anouk.page.getByRole("heading", { name: "The server is full" })).toBeVisible();
  await expect(anouk.page.getByText(/Trying again in \d+ s/)).toBeVisible();
  await expect(anouk.connection).toContainText(/Server full, trying again in \d+ s/);
  await anouk.page.getByRole("button", { name: "Try now" }).click();
  await anouk.isLinked("full");
  expect(omar.online, "connected clients are still served").not.toContain("anouk");

  omar.close();
  await anouk.isLive();
  await anouk.sees("omar", "OFFLINE");
  await expect(anouk.page.getByRole("heading", { name: "The server is full" })).toHaveCount(0);
});
