import { once } from "node:events";
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { exchange, openSocket, type RawResponse, requestTarget } from "../../test/raw-http.ts";
import { bearer, problemOf, startTestServer, type TestServer } from "../../test/start-test-server.ts";

const INVALID_ID = "urn:presence:problem:invalid-client-id";
const INVALID_BODY = "urn:presence:problem:invalid-body";
const PLAIN = "about:blank";

/** Sends invalid input to a server that has open streams. */
type Attempt = (server: TestServer) => Promise<Response | RawResponse>;

describe("invalid client ids", () => {
  it.each([
    ["empty", "/events/", 404],
    ["empty, without slash", "/events", 404],
    ["too long", `/events/${"x".repeat(65)}`, 400],
    ["far too long", `/events/${"x".repeat(10_000)}`, 400],
    ["percent-encoded", "/events/omar%2Fx", 400],
    ["percent-encoded unnecessarily", "/events/om%61r", 400],
    ["percent-encoded twice", "/events/om%2561r", 400],
    ["with a slash", "/events/omar/x", 404],
    ["with a slash at the end", "/events/omar/", 400],
    ["with an encoded line break", "/events/omar%0d%0ax", 400],
    ["with an encoded null", "/events/omar%00", 400],
    ["with an encoded letter", "/events/%C3%A9lodie", 400],
    ["with a non-ASCII letter", "/events/\u00e9lodie", 400],
    ["with invalid percent-encoding", "/events/%E0%A4%A", 400],
    ["with a space", "/events/om+ar", 400],
    ["with a semicolon", "/events/omar;x=1", 400],
    ["with a star", "/events/*", 400],
  ])("in the path: %s", async (_what, target, status) => {
    await expectRefusal((server) => requestTarget(server, target), status, status === 404 ? PLAIN : undefined);
  });

  it("in the path: the problem's detail names invalid percent-encoding", async () => {
    const server = await startTestServer();
    const response = await requestTarget(server, "/events/%E0%A4%A");
    expect(response.body).toContain("The path has invalid percent-encoding.");
  });

  it("in the path: a control character", async () => {
    await expectRefusal((server) => requestTarget(server, "/events/om\u0001ar"), 400, PLAIN);
  });

  it.each([
    ["empty", ""],
    ["too long", "x".repeat(65)],
    ["percent-encoded", "om%61r"],
    ["with a slash", "omar/x"],
    ["with a control character", "omar\u0000"],
    ["with a line break", "omar\r\nx"],
    ["with a line break at the end", "omar\n"],
    ["with a space", " omar"],
    ["with a non-ASCII letter", "élodie"],
    ["with a letter whose lower case is ASCII", "\u212aenji"],
    ["a lone surrogate", "\ud800"],
  ])("in the body: %s", async (_what, client) => {
    await expectRefusal((server) => server.post("/api/sessions", { client }), 400, INVALID_ID);
  });

  it.each([5, null, true, ["omar"], { id: "omar" }])("in the body: %j", async (client) => {
    await expectRefusal((server) => server.post("/api/sessions", { client }), 400, INVALID_BODY);
  });

  it("accepts the id __proto__ for a guest, without prototype pollution", async () => {
    const server = await startTestServer();
    const watcher = await server.openTerminalStream("anouk");
    await watcher.snapshot();
    const stream = await server.openStream(await server.signIn("__proto__"));
    expect((await stream.snapshot()).contacts.map(({ client }) => client)).toContain("anouk");
    expect(await watcher.presence("__proto__", "ONLINE")).toMatchObject({ status: "ONLINE" });
    const contacts = await server.request("/api/contacts", { headers: bearer(await server.signIn("omar")) });
    expect(await contacts.json()).toMatchObject({
      client: "omar",
      contacts: expect.arrayContaining([
        expect.objectContaining({ client: "__proto__", status: "ONLINE" }),
        expect.objectContaining({ client: "magali", status: "OFFLINE", since: 0 }),
      ]),
    });
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe("invalid bodies", () => {
  const json = { "Content-Type": "application/json" };

  it.each([
    ["that is not JSON", "client=omar", PLAIN],
    ["that is truncated", '{"client":"om', PLAIN],
    ["that is empty", "", INVALID_BODY],
    ["with two JSON documents", '{"client":"omar"}{"client":"omar"}', PLAIN],
    ["that is null", "null", PLAIN],
    ["that is a string", '"omar"', PLAIN],
    ["that is an array", '["omar"]', INVALID_BODY],
    ["that is an empty object", "{}", INVALID_BODY],
    ["with an extra field", '{"client":"omar","role":"admin"}', INVALID_BODY],
    ["with an extra field __proto__", '{"client":"omar","__proto__":{"role":"admin"}}', INVALID_BODY],
    ["with an extra field constructor", '{"client":"omar","constructor":{"prototype":{}}}', INVALID_BODY],
    ["with the client in __proto__", '{"__proto__":{"client":"omar"}}', INVALID_BODY],
  ])("%s", async (_what, body, type) => {
    await expectRefusal(
      (server) => server.request("/api/sessions", { method: "POST", headers: json, body }),
      400,
      type,
    );
  });

  it.each([
    ["text/plain", '{"client":"omar"}'],
    ["application/x-www-form-urlencoded", "client=omar"],
    ["multipart/form-data; boundary=x", "--x--"],
    ["application/json; charset=latin1", '{"client":"omar"}'],
    ["garbage", '{"client":"omar"}'],
  ])("with Content-Type: %s", async (type, body) => {
    await expectRefusal(
      (server) => server.request("/api/sessions", { method: "POST", headers: { "Content-Type": type }, body }),
      415,
      PLAIN,
    );
  });

  it("without Content-Type", async () => {
    await expectRefusal((server) => server.request("/api/sessions", { method: "POST" }), 415, PLAIN);
  });

  it.each(["/api/sessions", "/api/events", "/api/events/pings"])("that is too large for %s", async (path) => {
    await expectRefusal((server) => server.post(path, { client: "x".repeat(200_000) }), 413, PLAIN);
  });

  it("that is too large: the problem's detail says so", async () => {
    const server = await startTestServer();
    const response = await server.post("/api/sessions", { client: "x".repeat(200_000) });
    expect(await problemOf(response)).toMatchObject({ detail: "The body is too large." });
  });

  it("that is small compressed, but too large uncompressed", async () => {
    const body = gzipSync(JSON.stringify({ client: "x".repeat(100_000) }));
    const headers = { ...json, "Content-Encoding": "gzip" };
    await expectRefusal((server) => server.request("/api/sessions", { method: "POST", headers, body }), 413, PLAIN);
  });

  it("that is not compressed, with Content-Encoding: gzip", async () => {
    const headers = { ...json, "Content-Encoding": "gzip" };
    const body = '{"client":"omar"}';
    await expectRefusal((server) => server.request("/api/sessions", { method: "POST", headers, body }), 400, PLAIN);
  });

  it("with an unknown Content-Encoding", async () => {
    const headers = { ...json, "Content-Encoding": "rot13" };
    const body = '{"client":"omar"}';
    await expectRefusal((server) => server.request("/api/sessions", { method: "POST", headers, body }), 415, PLAIN);
  });

  it("that is longer than its Content-Length", async () => {
    const attempt: Attempt = (server) =>
      exchange(
        server,
        "POST /api/sessions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
          'Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"client":"omar"}',
      );
    await expectRefusal(attempt, 400, PLAIN);
  });
});

describe("invalid requests", () => {
  it.each([
    ["not HTTP at all", "hello\r\n\r\n"],
    ["a TLS handshake", Buffer.from("160301020001000001fc0303", "hex")],
    ["with an unknown method", "BREW /events/omar HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["of another protocol", "GET /events/omar SIP/2.0\r\nHost: x\r\n\r\n"],
    [
      "with two Content-Length headers",
      "POST /api/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    ],
    [
      "with Content-Length and Transfer-Encoding (request smuggling)",
      "POST /api/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["with a null byte in a header", "GET /events/omar HTTP/1.1\r\nHost: x\r\nX: a\u0000b\r\n\r\n"],
  ])("%s", async (_what, bytes) => {
    await expectRefusal((server) => exchange(server, bytes), 400, undefined);
  });

  it("without a Host header", async () => {
    const server = await startTestServer();
    await expectUndisturbed(server, async () => {
      expect(await exchange(server, "GET /events/omar HTTP/1.1\r\n\r\n")).toMatchObject({ status: 400 });
    });
  });

  it("with headers that are too large", async () => {
    const attempt: Attempt = (server) =>
      exchange(server, `GET /events/omar HTTP/1.1\r\nHost: x\r\nX-Large: ${"x".repeat(40_000)}\r\n\r\n`);
    await expectRefusal(attempt, 431, PLAIN);
  });

  it("with a path that is too large", async () => {
    await expectRefusal((server) => requestTarget(server, `/${"x".repeat(40_000)}`), 431, PLAIN);
  });

  it.each([
    ["/nothing", 404],
    ["/api", 404],
    ["/api/", 404],
    ["/api/nothing", 404],
    ["/API/contacts/x", 404],
    ["/healthz/x", 404],
  ])("for the unknown path %s", async (target, status) => {
    await expectRefusal((server) => requestTarget(server, target), status, PLAIN);
  });

  it("with a control character in the token", async () => {
    const bytes = "GET /api/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer a\tb\r\n\r\n";
    await expectRefusal((server) => exchange(server, bytes), 401, "urn:presence:problem:token-missing");
  });
});

describe("connections that are opened and dropped immediately", () => {
  it("cause no presence events for a client that is online (1,000 connections)", async () => {
    const server = await startTestServer();
    await expectUndisturbed(server, async () => {
      const sockets = await Promise.all(Array.from({ length: 1_000 }, () => openSocket(server)));
      sockets.forEach((socket, index) => {
        requestThenDrop(socket, "magali", index);
      });
      await Promise.all(sockets.map((socket) => (socket.closed ? undefined : once(socket, "close"))));
    });
  });

  it("cause one ONLINE and one OFFLINE per guest at most, and leave no state (1,000 guests)", async () => {
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: "200" } });
    const watcher = await server.openTerminalStream("anouk");
    await watcher.snapshot();
    const sockets = await Promise.all(Array.from({ length: 1_000 }, () => openSocket(server)));
    sockets.forEach((socket, index) => {
      requestThenDrop(socket, `guest-${index}`, index);
    });
    await expect.poll(() => server.metric("presence_connections"), { timeout: 10_000 }).toBe(1);
    const token = await server.signIn("anouk");
    await expect
      .poll(async () => (await server.request("/api/contacts", { headers: bearer(token) })).text(), { timeout: 10_000 })
      .not.toContain("guest-");
    await server.openTerminalStream("omar");
    await watcher.presence("omar", "ONLINE");
    const changes = watcher.changes();
    const online = changes.filter((change) => /^guest-\d+ ONLINE$/.test(change)).length;
    const offline = changes.filter((change) => /^guest-\d+ OFFLINE$/.test(change)).length;
    // The third of the clients that waited for the first bytes of their stream were certainly online.
    expect(online).toBeGreaterThanOrEqual(333);
    expect(offline).toBe(online);
    expect(changes.filter((change) => !change.startsWith("guest-"))).toEqual(["omar ONLINE"]);
  });
});

/** Requests a stream and disconnects: during the request, right after it, or at the first bytes of the response. */
function requestThenDrop(socket: Socket, client: string, index: number): void {
  const request = `GET /events/${client} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  if (index % 3 === 0) {
    socket.write(request.slice(0, 20));
    socket.destroy();
  } else if (index % 3 === 1) {
    socket.write(request, () => socket.destroy());
  } else {
    socket.once("data", () => socket.resetAndDestroy());
    socket.write(request);
  }
}

async function expectRefusal(attempt: Attempt, status: number, type: string | undefined): Promise<void> {
  const server = await startTestServer();
  await expectUndisturbed(server, async () => {
    const response = await attempt(server);
    expect(response.status).toBe(status);
    const problem = response instanceof Response ? await problemOf(response) : rawProblemOf(response);
    expect(problem).toEqual({
      type: type ?? expect.any(String),
      title: expect.stringMatching(/./),
      status,
      detail: expect.stringMatching(/[.…]$/),
    });
  });
}

/** Expects that `disturb` does not change the presence of other clients and leaves no connection. */
async function expectUndisturbed(server: TestServer, disturb: () => Promise<void>): Promise<void> {
  const watcher = await server.openTerminalStream("anouk");
  await watcher.snapshot();
  const other = await server.openTerminalStream("magali");
  await watcher.presence("magali", "ONLINE");

  await disturb();

  await expect.poll(() => server.metric("presence_connections"), { timeout: 10_000 }).toBe(2);
  expect(await server.metric("presence_connected_clients")).toBe(2);
  await server.openTerminalStream("omar");
  await watcher.presence("omar", "ONLINE");
  await other.presence("omar", "ONLINE");
  expect(watcher.changes()).toEqual(["magali ONLINE", "omar ONLINE"]);
  expect(other.changes()).toEqual(["omar ONLINE"]);
}

function rawProblemOf({ headers, body }: RawResponse): unknown {
  expect(headers.get("content-type")).toBe("application/problem+json");
  return JSON.parse(body);
}
