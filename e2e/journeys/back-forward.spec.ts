import { ClientPage } from "../fixtures/client-page.ts";
import { waitForLeaseEnd } from "../fixtures/leases.ts";
import { expect, test } from "../fixtures/test.ts";

test("a page restored from the back/forward cache is live again", async ({ page, server, listenAs }) => {
  const noor = await listenAs("noor");
  const magali = new ClientPage(page);
  await page.goto("/?as=magali");
  await magali.isLive();
  await page.evaluate(() => {
    document.documentElement.dataset["visited"] = "before";
  });

  await page.goto("/");
  await noor.next("magali", "OFFLINE");
  await listenAs("anouk");
  // A page from the cache does not load again, so don't wait for its load event.
  await page.goBack({ waitUntil: "commit" });

  await magali.isLive();
  await noor.next("magali", "ONLINE");
  await magali.sees("anouk", "ONLINE");
  const visited = await page.evaluate(() => document.documentElement.dataset["visited"]);
  expect(visited, "it was restored from the cache").toBe("before");
  await waitForLeaseEnd(server, noor);
  expect(noor.online).toContain("magali");
});
