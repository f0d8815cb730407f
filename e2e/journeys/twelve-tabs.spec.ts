import { ClientPage } from "../fixtures/client-page.ts";
import { test } from "../fixtures/test.ts";

const TWELVE = "anouk magali omar ines kenji priya tomas lucia noor david amara sofia".split(" ");

/** With HTTP/1.1 a browser opens at most six connections to a host. With one per tab, the seventh would wait forever. */
test("twelve clients in twelve tabs of one browser see a thirteenth come online", async ({ context }) => {
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
