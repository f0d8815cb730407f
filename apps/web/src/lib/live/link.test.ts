/// <reference types="node" />
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StreamOrder } from "./event-stream.ts";
import { type Link, startLink } from "./link.ts";
import { createNetwork, type Network } from "./network.ts";

/** A real server that speaks just enough of the stream, and keeps a record of what became of it. */
interface FakePresenceServer {
  server: Server;
  streams: { clients: string[]; response: ServerResponse; isClosed: boolean }[];
  events: string[];
  pingStatus: number;
  openStatus: number;
}

const HEARTBEAT_INTERVAL_MS = 100;

async function startServer(): Promise<FakePresenceServer> {
  const record: FakePresenceServer = {
    server: createServer((request, response) => void answer(request, response)),
    streams: [],
    events: [],
    pingStatus: 204,
    openStatus: 200,
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += chunk;
    if (request.url?.startsWith("/api/events/pings") === true) {
      record.events.push("ping");
      response.writeHead(record.pingStatus).end();
      return;
    }
    if (record.openStatus !== 200) {
      record.events.push("refuse");
      response.writeHead(record.openStatus, { "Retry-After": "0" }).end();
      return;
    }
    const clients = JSON.parse(body).streams.map(({ token }: { token: string }) => token);
    const stream = { clients, response, isClosed: false };
    record.streams.push(stream);
    record.events.push(`open ${clients}`);
    response.on("close", () => {
      stream.isClosed = true;
      record.events.push(`close ${clients}`);
    });
    response.writeHead(200, {
      "Content-Type": "text/event-stream",
      "Presence-Heartbeat-Interval": String(HEARTBEAT_INTERVAL_MS),
    });
    response.write("retry: 300\n\n");
  }

  await new Promise<void>((listening) => record.server.listen(0, "127.0.0.1", listening));
  return record;
}

let presence: FakePresenceServer;
let network: Network;
let link: Link;
let wanted: string[];
const received: string[] = [];

beforeEach(async () => {
  presence = await startServer();
  const { port } = presence.server.address() as AddressInfo;
  network = createNetwork((path, init) => fetch(`http://127.0.0.1:${port}${path}`, init));
  wanted = ["anouk"];
  received.length = 0;
  link = startLink({
    network,
    isWanted: () => wanted.length > 0,
    prepareOrders: async (): Promise<StreamOrder[]> => wanted.map((client) => ({ client, token: client })),
    tokenOf: () => "token",
    onMessage: ({ client }, message) => received.push(`${client} ${message.kind}`),
    onChange: () => undefined,
  });
});

afterEach(() => {
  link.stop();
  presence.server.closeAllConnections();
  presence.server.close();
});

function until(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 4000, interval: 5 });
}

async function goLive(): Promise<void> {
  link.refresh();
  await until(() => expect(link.state().kind).toBe("live"));
}

describe("a link", () => {
  it("delivers what each channel says, and pings while it lives", async () => {
    await goLive();
    presence.streams[0]?.response.write(
      'event: channel\ndata: {"channel":0}\n\nevent: snapshot\ndata: {"at":1,"contacts":[]}\n\n',
    );
    await until(() => expect(received).toEqual(["anouk snapshot"]));
    await until(() => expect(presence.events.filter((event) => event === "ping").length).toBeGreaterThan(1));
  });

  it("opens the new stream before it closes the old one", async () => {
    await goLive();
    wanted = ["anouk", "magali"];
    link.refresh();
    await until(() => expect(presence.events.filter((event) => event !== "ping")).toHaveLength(3));
    expect(presence.events.filter((event) => event !== "ping")).toEqual([
      "open anouk",
      "open anouk,magali",
      "close anouk",
    ]);
    expect(link.state().kind).toBe("live");
  });

  it("makes one request of a burst of changes", async () => {
    wanted = ["anouk", "magali", "omar"];
    for (const _ of wanted) link.refresh();
    await goLive();
    expect(presence.streams).toHaveLength(1);
  });

  it("closes when nobody wants it any more, and opens again when somebody does, even at once", async () => {
    await goLive();
    wanted = [];
    link.refresh();
    await until(() => expect(presence.streams[0]?.isClosed).toBe(true));
    wanted = ["omar"];
    link.refresh();
    await until(() => expect(link.state().kind).toBe("live"));
    wanted = [];
    link.refresh();
    await until(() => expect(link.state().kind).toBe("idle"));
    wanted = ["omar"];
    link.refresh();
    wanted = [];
    link.refresh();
    wanted = ["omar"];
    link.refresh();
    await until(() => expect(link.state().kind).toBe("live"));
  });

  it("waits as long as the server asked for when the server ends the stream", async () => {
    await goLive();
    await until(() => expect(presence.events).toContain("ping"));
    const endedAtMs = Date.now();
    presence.streams[0]?.response.end();
    await until(() => expect(link.state().kind).toBe("waiting"));
    await until(() => expect(presence.streams).toHaveLength(2));
    expect(Date.now() - endedAtMs).toBeGreaterThanOrEqual(280);
  });

  it("reconnects at once when the server doesn't know the connection any more", async () => {
    await goLive();
    presence.pingStatus = 404;
    await until(() => expect(presence.streams.length).toBeGreaterThan(1));
    presence.pingStatus = 204;
    await until(() => expect(link.state().kind).toBe("live"));
  });

  it("keeps trying while the server refuses", async () => {
    presence.openStatus = 503;
    link.refresh();
    await until(() => expect(presence.events.filter((event) => event === "refuse").length).toBeGreaterThan(1));
    presence.openStatus = 200;
    link.nudge();
    await until(() => expect(link.state().kind).toBe("live"));
  });

  it("notices a dead network by its pings, while the server still holds the connection", async () => {
    await goLive();
    network.cut();
    await until(() => expect(link.state().kind).not.toBe("live"));
    expect(presence.streams[0]?.isClosed).toBe(false);
    network.restore();
    link.nudge();
    await until(() => expect(link.state().kind).toBe("live"));
    await until(() => expect(presence.streams[0]?.isClosed).toBe(true));
  });
});
