import { ClientPage } from "../fixtures/client-page.ts";
import { test } from "../fixtures/test.ts";

const TWELVE = "anouk magali omar ines kenji priya tomas lucia noor david amara sofia".split(" ");

/** HTTP/1.1 allows a browser six connections to a host: one for each tab would leave the seventh waiting for ever. */
test("twelve people in twelve tabs of one browser all see a thirteenth arrive", async ({ context }) => {
  const tabs: ClientPage[] = [];
  for (const client of TWELVE) tabs.push(await ClientPage.open(context, client));

  const zoe = await ClientPage.open(context, "zoe");

  for (const client of TWELVE) await zoe.sees(client, "ONLINE");
  for (const tab of tabs) {
    await tab.isLive();
    await tab.sees("zoe", "ONLINE");
  }

  await zoe.close();
  for (const tab of tabs) await tab.doesNotList("zoe");
});
