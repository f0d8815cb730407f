import { expect, test } from "../fixtures/distributed-test.ts";
import { hasCurl, Terminal } from "../fixtures/terminal.ts";

test.use({ heartbeatIntervalMs: 1_000 });
test.skip(!hasCurl(), "curl is not installed");

test("three terminals at three servers see each other come online and go offline", async ({ servers }) => {
  const [first, second, third] = servers;
  const anouk = new Terminal(`${first.url}/events/anouk`);
  await expect.poll(() => anouk.output).toContain("event: snapshot");
  const magali = new Terminal(`${second.url}/events/magali`);
  await expect.poll(() => anouk.output).toContain('data: {"client":"magali","status":"ONLINE"');
  const omar = new Terminal(`${third.url}/events/omar`);
  await expect.poll(() => anouk.output).toContain('data: {"client":"omar","status":"ONLINE"');
  await expect.poll(() => magali.output).toContain('data: {"client":"omar","status":"ONLINE"');
  await expect
    .poll(() => omar.output, "the snapshot contains the client that connected first")
    .toContain('{"client":"anouk","status":"ONLINE"');

  const leftAt = Date.now();
  await magali.interrupt();
  for (const other of [anouk, omar]) {
    await expect.poll(() => other.output).toContain('data: {"client":"magali","status":"OFFLINE"');
  }
  expect(Date.now() - leftAt, "a closed connection alone does not mean OFFLINE").toBeGreaterThan(
    first.heartbeatIntervalMs / 2,
  );
  for (const terminal of [anouk, omar]) await terminal.interrupt();
});
