/// <reference types="node" />
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StreamSubscription } from "./event-stream.ts";
import { type Link, startLink } from "./link.ts";
import { createNetwork, type Network } from "./network.ts";

/** A real HTTP server that implements the parts of the stream that a link needs, and records what happens. */
interface FakePresenceServer {
  server: Server;
  streams: { clients: string[]; response: ServerResponse; isClosed: boolean }[];
  events: string[];
  pingStatus: number;
  openStatus: number;
  /** Whether requests for streams get no answer. */
  isHanging: boolean;
}

const HEARTBEAT_INTERVAL_MS = 100;

async function startServer(): Promise<FakePresenceServer> {
  const record: FakePresenceServer = {
    server: createServer((request, response) => void answer(request, response)),
    streams: [],
    events: [],
    pingStatus: 204,
    openStatus: 200,
    isHanging: false,
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += chunk;
    if (request.url?.startsWith("/api/events/pings") === true) {
      record.events.push("ping");
      response.writeHead(record.pingStatus).end();
      return;
    }
    if (record.isHanging) {
      record.events.push("hang");
      return;
    }
    if (record.openStatus !== 200) {
      record.events.push("refuse");
      response.writeHead(record.openStatus, { "Retry-After": "0" }).end();
      return;
    }
    const requested = JSON.parse(body).streams.map(({ token }: { token: string }) => token);
    const stream = { clients: requested, response, isClosed: false };
    record.streams.push(stream);
    record.events.push(`open ${requested}`);
    response.on("close", () => {
      stream.isClosed = true;
      record.events.push(`close ${requested}`);
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
let clients: string[];
let isStale: boolean;
const received: string[] = [];

beforeEach(async () => {
  presence = await startServer();
  const { port } = presence.server.address() as AddressInfo;
  network = createNetwork((path, init) => fetch(`http://127.0.0.1:${port}${path}`, init));
  clients = ["anouk"];
  received.length = 0;
  isStale = false;
  link = startLink({
    network,
    isNeeded: () => clients.length > 0,
    prepareSubscriptions: async (): Promise<StreamSubscription[]> =>
      clients.map((client) => ({ client, token: client })),
    tokenOf: () => "token",
    isStale: () => isStale,
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
  it("delivers the messages of each channel and sends pings", async () => {
    await goLive();
    presence.streams[0]?.response.write(
      'event: channel\ndata: {"channel":0}\n\nevent: snapshot\ndata: {"at":1,"contacts":[]}\n\n',
    );
    await until(() => expect(received).toEqual(["anouk snapshot"]));
    await until(() => expect(presence.events.filter((event) => event === "ping").length).toBeGreaterThan(1));
  });

  it("opens the new stream before it closes the old one", async () => {
    await goLive();
    clients = ["anouk", "magali"];
    link.refresh();
    await until(() => expect(presence.events.filter((event) => event !== "ping")).toHaveLength(3));
    expect(presence.events.filter((event) => event !== "ping")).toEqual([
      "open anouk",
      "open anouk,magali",
      "close anouk",
    ]);
    expect(link.state().kind).toBe("live");
  });

  it("combines a burst of changes into one request", async () => {
    clients = ["anouk", "magali", "omar"];
    for (const _ of clients) link.refresh();
    await goLive();
    expect(presence.streams).toHaveLength(1);
  });

  it("closes when no client is left, and opens again when one is added, even immediately", async () => {
    await goLive();
    clients = [];
    link.refresh();
    await until(() => expect(presence.streams[0]?.isClosed).toBe(true));
    clients = ["omar"];
    link.refresh();
    await until(() => expect(link.state().kind).toBe("live"));
    clients = [];
    link.refresh();
    await until(() => expect(link.state().kind).toBe("idle"));
    clients = ["omar"];
    link.refresh();
    clients = [];
    link.refresh();
    clients = ["omar"];
    link.refresh();
    await until(() => expect(link.state().kind).toBe("live"));
  });

  it("waits for the server's retry time after the server ends the stream", async () => {
    await goLive();
    await until(() => expect(presence.events).toContain("ping"));
    const endedAtMs = Date.now();
    presence.streams[0]?.response.end();
    await until(() => expect(link.state().kind).toBe("waiting"));
    await until(() => expect(presence.streams).toHaveLength(2));
    expect(Date.now() - endedAtMs).toBeGreaterThanOrEqual(280);
  });

  it("reconnects immediately when the server no longer knows the connection", async () => {
    await goLive();
    presence.pingStatus = 404;
    await until(() => expect(presence.streams.length).toBeGreaterThan(1));
    presence.pingStatus = 204;
    await until(() => expect(link.state().kind).toBe("live"));
  });

  it("retries while the server refuses", async () => {
    presence.openStatus = 503;
    link.refresh();
    await until(() => expect(presence.events.filter((event) => event === "refuse").length).toBeGreaterThan(1));
    presence.openStatus = 200;
    link.checkNow();
    await until(() => expect(link.state().kind).toBe("live"));
  });

  it("gives up an attempt after one heartbeat interval, or two seconds if that is longer", async () => {
    await goLive();
    presence.isHanging = true;
    const endedAtMs = Date.now();
    presence.streams[0]?.response.end();
    await vi.waitFor(() => expect(presence.events.filter((event) => event === "hang")).toHaveLength(2), 8_000);
    expect(Date.now() - endedAtMs).toBeLessThan(5_000);
  });

  it("detects a dead network by missed pings while the server still holds the connection", async () => {
    await goLive();
    network.cut();
    await until(() => expect(link.state().kind).not.toBe("live"));
    expect(presence.streams[0]?.isClosed).toBe(false);
    network.restore();
    link.checkNow();
    await until(() => expect(link.state().kind).toBe("live"));
    await until(() => expect(presence.streams[0]?.isClosed).toBe(true));
  });

  it("tries to replace a stale stream by another one, and keeps it while that is refused", async () => {
    await goLive();
    presence.openStatus = 503;
    isStale = true;
    await until(() => expect(presence.events.filter((event) => event === "refuse")).toHaveLength(2));
    expect(link.state().kind).toBe("live");
    expect(presence.streams[0]?.isClosed).toBe(false);
    presence.openStatus = 200;
    await until(() => expect(presence.streams).toHaveLength(2));
    await until(() => expect(presence.streams[0]?.isClosed).toBe(true));
    expect(link.state().kind).toBe("live");
  });
});
