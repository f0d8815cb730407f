import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

/** The longest time until a browser and its worker close the stream of a closed tab. */
const CLOSE_LIMIT_MS = 1_000;

test("three tabs of one browser see each other come online and go offline", async ({ context, server, listenAs }) => {
  const noor = await listenAs("noor");
  const anouk = await ClientPage.open(context, "anouk");
  await anouk.sees("magali", "OFFLINE");
  const magali = await ClientPage.open(context, "magali");
  const omar = await ClientPage.open(context, "omar");
  await anouk.sees("magali", "ONLINE");
  await anouk.sees("omar", "ONLINE");
  await magali.sees("anouk", "ONLINE");
  await magali.sees("omar", "ONLINE");
  await omar.sees("anouk", "ONLINE");
  await omar.sees("magali", "ONLINE");

  const closingAt = Date.now();
  await magali.close();
  const closedAt = Date.now();

  const { since } = await noor.next("magali", "OFFLINE");
  await anouk.sees("magali", "OFFLINE");
  await omar.sees("magali", "OFFLINE");
  expect(since, "not before the lease can end").toBeGreaterThanOrEqual(closingAt + server.heartbeatIntervalMs / 2);
  expect(since, "not after the lease must end").toBeLessThanOrEqual(closedAt + server.leaseMs + CLOSE_LIMIT_MS);
  await expect(anouk.activityOf("magali")).toHaveCount(2);
  await anouk.sees("omar", "ONLINE");
});

test("OFFLINE is published within 50 ms after the end of the lease", async ({ server, listenAs }) => {
  const noor = await listenAs("noor");
  for (const client of ["anouk", "magali", "omar"]) (await listenAs(client)).close();
  for (const client of ["anouk", "magali", "omar"]) await noor.next(client, "OFFLINE");

  expect(await server.metric('presence_offline_lag_seconds_bucket{le="0.05"}')).toBe(3);
  expect(await server.metric("presence_offline_lag_seconds_count")).toBe(3);
});
