import { describe, expect, it } from "vitest";
import { startTestServer } from "../test/start-test-server.ts";
import { parseConfig } from "./config.ts";
import { ListenError } from "./http/listen.ts";
import { startServer } from "./server.ts";

const SHORT_LEASES = { HEARTBEAT_INTERVAL_MS: "200" };

describe("a realtime server", () => {
  it("sends ONLINE and OFFLINE of three clients", async () => {
    const server = await startTestServer({ env: SHORT_LEASES });
    const anouk = await server.openTerminalStream("anouk");
    await anouk.snapshot();
    const magali = await server.openTerminalStream("magali");
    const omar = await server.openTerminalStream("omar");
    await anouk.presence("magali", "ONLINE");
    await anouk.presence("omar", "ONLINE");
    expect((await omar.snapshot()).contacts).toContainEqual(
      expect.objectContaining({ client: "magali", status: "ONLINE" }),
    );
    await magali.close();
    await anouk.presence("magali", "OFFLINE");
    await omar.presence("magali", "OFFLINE");
    expect(anouk.changes()).toEqual(["magali ONLINE", "omar ONLINE", "magali OFFLINE"]);
    expect(omar.changes()).toEqual(["magali OFFLINE"]);
  });

  it("sends a presence event only to clients that have the contact", async () => {
    const server = await startTestServer();
    const [ines, noor] = [await server.openTerminalStream("ines"), await server.openTerminalStream("noor")];
    await ines.snapshot();
    await noor.snapshot();
    await server.openTerminalStream("kenji");
    await noor.presence("kenji", "ONLINE");
    // Sofia is a contact of both. Events are ordered, so earlier ones have arrived by now.
    await server.openTerminalStream("sofia");
    await ines.presence("sofia", "ONLINE");
    await noor.presence("sofia", "ONLINE");
    expect(ines.changes()).toEqual(["sofia ONLINE"]);
    expect(noor.changes()).toEqual(["kenji ONLINE", "sofia ONLINE"]);
  });

  it.each(["anouk", "a-guest"])("never sends %s its own presence", async (client) => {
    const server = await startTestServer({ env: SHORT_LEASES });
    const first = await server.openTerminalStream(client);
    await first.snapshot();
    await (await server.openTerminalStream(client)).close();
    await (await server.openTerminalStream("omar")).close();
    await first.presence("omar", "OFFLINE");
    expect(first.changes()).toEqual(["omar ONLINE", "omar OFFLINE"]);
  });

  it("sends a guest the presence of all clients", async () => {
    const server = await startTestServer();
    const guest = await server.openTerminalStream("zoe");
    await guest.snapshot();
    for (const client of ["anouk", "sofia", "wei", "yves"]) {
      await server.openTerminalStream(client);
      await guest.presence(client, "ONLINE");
    }
    expect(guest.changes()).toEqual(["anouk ONLINE", "sofia ONLINE", "wei ONLINE", "yves ONLINE"]);
  });

  it("sends nothing when a client reconnects within its lease", async () => {
    // At least half an interval is left of the lease: enough time to reconnect on a slow machine.
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: "3000" } });
    const watcher = await server.openTerminalStream("anouk");
    const before = await server.openTerminalStream("magali");
    await watcher.presence("magali", "ONLINE");
    await before.close();
    await expect.poll(() => server.metric("presence_connections")).toBe(1);
    await server.openTerminalStream("magali");
    // Omar's lease starts now, so it expires after Magali's old lease would have.
    await (await server.openTerminalStream("omar")).close();
    await watcher.presence("omar", "OFFLINE");
    expect(watcher.changes()).toEqual(["magali ONLINE", "omar ONLINE", "omar OFFLINE"]);
  });

  it("sends a guest's presence to all other clients", async () => {
    const server = await startTestServer({ env: SHORT_LEASES });
    const anouk = await server.openTerminalStream("anouk");
    const zoe = await server.openTerminalStream("zoe");
    await anouk.presence("zoe", "ONLINE");
    const yves = await server.openTerminalStream("yves");
    await zoe.presence("yves", "ONLINE");
    const { contacts } = await yves.snapshot();
    expect(contacts).toContainEqual(expect.objectContaining({ client: "zoe", status: "ONLINE" }));
    expect(contacts).toContainEqual(expect.objectContaining({ client: "anouk", status: "ONLINE" }));
    expect(contacts.map(({ client }) => client)).not.toContain("yves");
    await zoe.close();
    await anouk.presence("zoe", "OFFLINE");
    await yves.presence("zoe", "OFFLINE");
    const after = await server.openTerminalStream("omar");
    expect((await after.snapshot()).contacts.map(({ client }) => client)).not.toContain("zoe");
  });

  it("sends a snapshot to a client that reconnects to a restarted server", async () => {
    const first = await startTestServer();
    const before = await first.openTerminalStream("anouk");
    await before.snapshot();
    const lastEventId = before.lastEventId();
    await first.close();
    expect(await before.over).toBe("ended");

    const second = await startTestServer();
    const after = await second.openTerminalStream("anouk", { headers: { "Last-Event-ID": lastEventId } });
    await after.snapshot();
    await second.openTerminalStream("magali");
    await after.presence("magali", "ONLINE");
  });

  it("ends all streams on close, and releases its port", async () => {
    const server = await startTestServer();
    const streams = await Promise.all(Array.from({ length: 50 }, (_, i) => server.openTerminalStream(`guest-${i}`)));
    for (const stream of streams) await stream.snapshot();
    await server.close();
    for (const stream of streams) expect(await stream.over).toBe("ended");
    const restarted = await startTestServer({ env: { PORT: String(server.port) } });
    expect(restarted.port).toBe(server.port);
  });

  it("rejects with a ListenError if the port is in use", async () => {
    const { port } = await startTestServer();
    const config = parseConfig({ PORT: String(port), HOST: "127.0.0.1", LOG_LEVEL: "silent" }, []);
    const starting = startServer(config, { webAppFolder: "/nonexistent" });
    await expect(starting).rejects.toThrow(ListenError);
    await expect(starting).rejects.toThrow(`Port ${port} is in use.`);
  });
});
