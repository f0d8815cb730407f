import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/distributed-test.ts";
import { waitForLeaseEnd } from "../fixtures/leases.ts";

/** The longest time from the end of a lease to a viewer's stream, on a machine that runs other tests too. */
const SEEN_WITHIN_MS = 500;

test("a client of a killed server is OFFLINE at the end of its lease, and ONLINE again after the restart", async ({
  context,
  servers,
  listenAs,
}) => {
  const [first, second, third] = servers;
  const noor = await listenAs("noor");
  const anouk = await ClientPage.open(context, "anouk", first.url);
  const magali = await ClientPage.open(context, "magali", second.url);
  const omar = await ClientPage.open(context, "omar", third.url);
  for (const other of [anouk, omar]) await other.sees("magali", "ONLINE");
  await magali.sees("omar", "ONLINE");

  const killingAt = Date.now();
  await second.kill();
  const killedAt = Date.now();

  const { since } = await noor.next("magali", "OFFLINE");
  expect(since).toBeGreaterThan(killingAt);
  expect(since).toBeLessThan(killedAt + second.leaseMs + SEEN_WITHIN_MS);
  for (const other of [anouk, omar]) await other.sees("magali", "OFFLINE");
  await magali.isLinked("reconnecting");
  await expect(magali.page.getByText(/as of \d/i).first()).toBeVisible();
  for (const client of ["anouk", "omar"]) await magali.sees(client, "UNKNOWN");

  await second.restart();
  await magali.isLive();
  for (const client of ["anouk", "omar"]) await magali.sees(client, "ONLINE");
  await noor.next("magali", "ONLINE");
  for (const other of [anouk, omar]) await other.sees("magali", "ONLINE");

  await waitForLeaseEnd(first, noor);
  for (const client of ["anouk", "omar"])
    expect(noor.changesOf(client), "other clients are not affected").toHaveLength(1);
  expect(noor.changesOf("magali").map(({ status }) => status)).toEqual(["ONLINE", "OFFLINE", "ONLINE"]);
  for (const client of ["anouk", "omar"]) await expect(magali.activityOf(client, "OFFLINE")).toHaveCount(0);
});
