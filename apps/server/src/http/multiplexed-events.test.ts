import { MAX_CHANNELS } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import { problemOf, startTestServer } from "../../test/start-test-server.ts";
import { SHARED_SECRET, secondsFromNow, signWithSecret, tokenOf } from "../../test/tokens.ts";

const LONG_LEASES = { HEARTBEAT_INTERVAL_MS: "600000" };

describe("POST /api/events", () => {
  it("sends each client's stream in its own channel", async () => {
    const server = await startTestServer();
    const stream = await server.openMultiplexedStream([
      { token: await server.signIn("anouk") },
      { token: await server.signIn("ines") },
    ]);
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
    expect(stream.response.headers.get("cache-control")).toBe("no-store, no-transform");
    expect(stream.response.headers.get("x-accel-buffering")).toBe("no");
    expect(stream.response.headers.get("presence-heartbeat-interval")).toBe("5000");
    const anouk = await stream.snapshot(0);
    const ines = await stream.snapshot(1);
    expect(anouk.contacts.map(({ client }) => client)).toContain("omar");
    expect(ines.contacts.map(({ client }) => client).sort()).toEqual(["anouk", "lucia", "magali", "sofia"]);
    expect(stream.lastEventId(0)).not.toBe("");
    expect(stream.lastEventId(1)).not.toBe("");

    await server.openTerminalStream("omar");
    await stream.presence("omar", "ONLINE", 0);
    await server.openTerminalStream("sofia");
    await stream.presence("sofia", "ONLINE", 1);
    // Ines does not see Omar. Clients that connect in the same request are in each other's snapshots.
    expect(anouk.contacts).toContainEqual({ client: "ines", status: "ONLINE", since: expect.any(Number) });
    expect(stream.changes(0)).toEqual(["omar ONLINE", "sofia ONLINE"]);
    expect(stream.changes(1)).toEqual(["sofia ONLINE"]);
    expect(stream.malformed).toEqual([]);
  });

  it("sends two streams of one client", async () => {
    const server = await startTestServer();
    const token = await server.signIn("anouk");
    const stream = await server.openMultiplexedStream([{ token }, { token }]);
    await stream.snapshot(0);
    await stream.snapshot(1);
    expect(await server.metric("presence_connections")).toBe(2);
    expect(await server.metric("presence_connected_clients")).toBe(1);
  });

  it("ends the channels of invalid tokens, and continues with the others", async () => {
    const server = await startTestServer();
    const signedOut = await server.signIn("omar");
    await server.signOut(signedOut);
    const stream = await server.openMultiplexedStream([
      { token: "garbage" },
      { token: await server.signIn("anouk") },
      { token: signedOut },
      { token: "" },
    ]);
    expect(stream.response.status).toBe(200);
    expect((await stream.channelEnd(0)).problem).toMatchObject({
      type: "urn:presence:problem:token-invalid",
      status: 401,
      title: expect.any(String),
      detail: expect.any(String),
    });
    expect((await stream.channelEnd(2)).problem).toMatchObject({ type: "urn:presence:problem:signed-out" });
    expect((await stream.channelEnd(3)).problem).toMatchObject({ type: "urn:presence:problem:token-invalid" });
    await server.openTerminalStream("magali");
    await stream.presence("magali", "ONLINE", 1);
    expect(stream.messages.filter(({ event }) => event === "snapshot")).toHaveLength(1);
    expect(await server.metric("presence_connections")).toBe(2);
  });

  it("ends the response if every token is refused", async () => {
    const server = await startTestServer();
    const stream = await server.openMultiplexedStream([{ token: "garbage" }, { token: "more" }]);
    expect(await stream.over).toBe("ended");
    await stream.channelEnd(0);
    await stream.channelEnd(1);
    expect(await server.metric("presence_connections")).toBe(0);
  });

  it("resumes each channel from its Last-Event-ID", async () => {
    const server = await startTestServer();
    const tokens = [await server.signIn("anouk"), await server.signIn("wei"), await server.signIn("ines")];
    const first = await server.openMultiplexedStream(tokens.map((token) => ({ token })));
    for (const channel of [0, 1, 2]) await first.snapshot(channel);
    const lastEventIds = [first.lastEventId(0), first.lastEventId(1), "garbage"];
    await first.close();
    await server.openTerminalStream("magali");
    await server.openTerminalStream("omar");

    const second = await server.openMultiplexedStream(
      tokens.map((token, index) => ({ token, lastEventId: lastEventIds[index] ?? "" })),
    );
    await second.presence("omar", "ONLINE", 0);
    await second.presence("omar", "ONLINE", 1);
    const ines = await second.snapshot(2);
    expect(ines.contacts).toContainEqual(expect.objectContaining({ client: "magali", status: "ONLINE" }));
    // Only the channel with an invalid id gets a snapshot.
    expect(second.messages.flatMap((m) => (m.event === "snapshot" ? [m.channel] : []))).toEqual([2]);
    expect(second.changes(0)).toEqual(expect.arrayContaining(["magali ONLINE", "omar ONLINE"]));
    expect(second.changes(1)).toEqual(["omar ONLINE"]);
  });

  it("ends a channel when its token is signed out, and the response with the last channel", async () => {
    const server = await startTestServer({ env: LONG_LEASES });
    const watcher = await server.openTerminalStream("magali");
    const [anouk, omar] = [await server.signIn("anouk"), await server.signIn("omar")];
    const stream = await server.openMultiplexedStream([{ token: anouk }, { token: omar }]);
    await stream.snapshot(0);
    await stream.snapshot(1);

    await server.signOut(anouk);
    expect((await stream.channelEnd(0)).problem).toMatchObject({ type: "urn:presence:problem:signed-out" });
    await watcher.presence("anouk", "OFFLINE");
    await stream.presence("anouk", "OFFLINE", 1);
    const soFar = stream.messages.length;

    await server.openTerminalStream("kenji");
    await stream.presence("kenji", "ONLINE", 1);
    // The ended channel gets no more messages.
    expect(stream.messages.slice(soFar).filter(({ channel }) => channel === 0)).toEqual([]);

    await server.signOut(omar);
    expect((await stream.channelEnd(1)).problem).toMatchObject({ type: "urn:presence:problem:signed-out" });
    expect(await stream.over).toBe("ended");
    await watcher.presence("omar", "OFFLINE");
  });

  it("ends a channel when its token expires", async () => {
    const server = await startTestServer({ env: { AUTH_JWT_SECRET: SHARED_SECRET } });
    const stream = await server.openMultiplexedStream([
      { token: await signWithSecret({ sub: "anouk", exp: Math.floor(secondsFromNow(2)) }) },
      { token: await tokenOf("omar") },
      { token: await signWithSecret({ sub: "magali", exp: secondsFromNow(-1) }) },
    ]);
    expect((await stream.channelEnd(2)).problem).toMatchObject({ type: "urn:presence:problem:token-expired" });
    expect((await stream.channelEnd(0)).problem).toMatchObject({ type: "urn:presence:problem:token-expired" });
    expect(await server.metric("presence_connections")).toBe(1);
  });

  it("ends all streams when the client closes the response", async () => {
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: "200" } });
    const watcher = await server.openTerminalStream("magali");
    const stream = await server.openMultiplexedStream([
      { token: await server.signIn("anouk") },
      { token: await server.signIn("omar") },
    ]);
    await stream.snapshot(0);
    await stream.close();
    await expect.poll(() => server.metric("presence_connections")).toBe(1);
    await watcher.next((m) => m.event === "presence" && m.data.status === "OFFLINE");
    await watcher.next((m) => m.event === "presence" && m.data.status === "OFFLINE");
    expect(watcher.changes().sort()).toEqual(["anouk OFFLINE", "anouk ONLINE", "omar OFFLINE", "omar ONLINE"]);
  });

  it("ends each channel with shutting-down and a reconnection time when the server stops", async () => {
    const server = await startTestServer();
    const stream = await server.openMultiplexedStream([
      { token: await server.signIn("anouk") },
      { token: await server.signIn("omar") },
    ]);
    await stream.snapshot(0);
    await stream.snapshot(1);
    await server.close();
    expect(await stream.over).toBe("ended");
    for (const channel of [0, 1]) {
      expect((await stream.channelEnd(channel)).problem).toMatchObject({
        type: "urn:presence:problem:shutting-down",
        status: 503,
      });
    }
    expect(stream.retriesMs).toHaveLength(4);
  });

  it("causes no presence events when a client replaces one response with another", async () => {
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: "200" } });
    const watcher = await server.openTerminalStream("magali");
    const token = await server.signIn("anouk");
    const first = await server.openMultiplexedStream([{ token }]);
    await first.snapshot(0);
    const second = await server.openMultiplexedStream([
      { token, lastEventId: first.lastEventId(0) },
      { token: await server.signIn("omar") },
    ]);
    await second.snapshot(1);
    await first.close();
    // Noor's lease starts now, so it expires after the leases of the closed response would have.
    await (await server.openTerminalStream("noor")).close();
    await watcher.presence("noor", "OFFLINE");
    expect(watcher.changes()).toEqual(["anouk ONLINE", "omar ONLINE", "noor ONLINE", "noor OFFLINE"]);
  });

  it(`accepts ${MAX_CHANNELS} streams, and returns 400 for one more`, async () => {
    const server = await startTestServer();
    const token = await server.signIn("anouk");
    const most = Array.from({ length: MAX_CHANNELS }, () => ({ token }));
    const stream = await server.openMultiplexedStream(most);
    for (let channel = 0; channel < MAX_CHANNELS; channel += 1) await stream.snapshot(channel);
    const response = await server.post("/api/events", { streams: [...most, { token }] });
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({
      type: "urn:presence:problem:invalid-body",
      detail: expect.stringContaining("streams"),
    });
    expect(await server.metric("presence_connections")).toBe(MAX_CHANNELS);
  });

  it("accepts the maximum number of streams with large tokens", async () => {
    const server = await startTestServer({ env: { AUTH_JWT_SECRET: SHARED_SECRET } });
    const token = await signWithSecret({ sub: "anouk", exp: secondsFromNow(60), groups: "g".repeat(2_500) });
    const stream = await server.openMultiplexedStream(
      Array.from({ length: MAX_CHANNELS }, () => ({ token, lastEventId: "x".repeat(40) })),
    );
    await stream.snapshot(MAX_CHANNELS - 1);
  });

  it.each([
    ["no streams", { streams: [] }],
    ["no list", {}],
    ["null instead of a list", { streams: null }],
    ["a stream without token", { streams: [{}] }],
    ["a token that is not a string", { streams: [{ token: 5 }] }],
    ["an id that is not a string", { streams: [{ token: "a", lastEventId: 5 }] }],
    ["an id that is null", { streams: [{ token: "a", lastEventId: null }] }],
    ["an extra field", { streams: [{ token: "a" }], extra: true }],
    ["an extra field in a stream", { streams: [{ token: "a", client: "omar" }] }],
    ["an array", [{ token: "a" }]],
  ])("returns 400 for a body with %s", async (_what, body) => {
    const server = await startTestServer();
    const response = await server.post("/api/events", body);
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ type: "urn:presence:problem:invalid-body", status: 400 });
  });

  it("returns 406 if the client does not accept an event stream", async () => {
    const server = await startTestServer();
    const body = { streams: [{ token: await server.signIn("anouk") }] };
    const response = await server.post("/api/events", body, { headers: { Accept: "application/json" } });
    expect(response.status).toBe(406);
    expect(await problemOf(response)).toMatchObject({ status: 406 });
    expect(await server.metric("presence_connections")).toBe(0);
  });
});
