import { describe, expect, it } from "vitest";
import { startTestServer } from "../test/start-test-server.ts";

describe("startServer", () => {
  it("shows three clients come and go", async () => {
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: "200" } });
    const anouk = await server.openTerminalStream("anouk");
    await anouk.snapshot();
    const magali = await server.openTerminalStream("magali");
    const omar = await server.openTerminalStream("omar");
    await anouk.presence("magali", "ONLINE");
    await anouk.presence("omar", "ONLINE");
    expect(await omar.snapshot()).toMatchObject({
      contacts: expect.arrayContaining([expect.objectContaining({ client: "magali", status: "ONLINE" })]),
    });
    await magali.close();
    await anouk.presence("magali", "OFFLINE");
    await omar.presence("magali", "OFFLINE");
    expect(anouk.changes()).toEqual(["magali ONLINE", "omar ONLINE", "magali OFFLINE"]);
  });
});
