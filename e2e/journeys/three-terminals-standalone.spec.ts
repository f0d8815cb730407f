import { hasCurl, Terminal } from "../fixtures/terminal.ts";
import { expect, test } from "../fixtures/test.ts";

test.use({ heartbeatIntervalMs: 1_000 });
test.skip(!hasCurl(), "curl is not installed");

test("three terminals see each other come online and go offline", async ({ server }) => {
  const open = (client: string) => new Terminal(`${server.url}/events/${client}`);
  const anouk = open("anouk");
  await expect.poll(() => anouk.output).toContain("event: snapshot");
  const magali = open("magali");
  await expect.poll(() => anouk.output).toContain('data: {"client":"magali","status":"ONLINE"');
  const omar = open("omar");
  await expect.poll(() => anouk.output).toContain('data: {"client":"omar","status":"ONLINE"');
  await expect.poll(() => magali.output).toContain('data: {"client":"omar","status":"ONLINE"');
  expect(omar.output, "the snapshot contains the client that connected first").toContain(
    '{"client":"anouk","status":"ONLINE"',
  );

  const leftAt = Date.now();
  await magali.interrupt();
  for (const other of [anouk, omar]) {
    await expect.poll(() => other.output).toContain('data: {"client":"magali","status":"OFFLINE"');
  }
  expect(Date.now() - leftAt, "a closed connection alone does not mean OFFLINE").toBeGreaterThan(
    server.heartbeatIntervalMs / 2,
  );
  for (const terminal of [anouk, omar]) await terminal.interrupt();
});
