import type { ContactsResponse, PeopleResponse } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import { bearer, problemOf, startTestServer, type TestServer } from "../../test/start-test-server.ts";
import { ROSTER } from "../contacts/roster.ts";

describe("GET /api/contacts", () => {
  it("returns the caller's contact list with profiles and presence", async () => {
    const server = await startTestServer();
    const before = Date.now();
    await server.openTerminalStream("magali");
    const response = await server.request("/api/contacts", { headers: bearer(await server.signIn("wei")) });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const body = (await response.json()) as ContactsResponse;
    expect(body.client).toBe("wei");
    expect(body.profile).toEqual({
      id: "wei",
      name: "Wei Zhang",
      role: "Mobile engineer",
      timeZone: "America/Vancouver",
    });
    expect(body.at).toBeGreaterThanOrEqual(before);
    expect(body.at).toBeLessThanOrEqual(Date.now());
    // Magali is online, but she is not a contact of Wei.
    expect(body.contacts.map(({ client }) => client).sort()).toEqual(["david", "kenji", "noor", "omar", "priya"]);
    expect(body.contacts.find(({ client }) => client === "omar")).toEqual({
      client: "omar",
      status: "OFFLINE",
      since: 0,
      profile: { id: "omar", name: "Omar Haddad", role: "Platform engineer", timeZone: "Africa/Casablanca" },
    });
  });

  it("returns the status of a contact and its time", async () => {
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: "200" } });
    const watcher = await server.openTerminalStream("omar");
    const magali = await server.openTerminalStream("magali");
    const online = await watcher.presence("magali", "ONLINE");
    expect((await contactsOf(server, "anouk")).get("magali")).toMatchObject(online);
    await magali.close();
    const offline = await watcher.presence("magali", "OFFLINE");
    expect((await contactsOf(server, "anouk")).get("magali")).toMatchObject(offline);
    expect(offline.since).toBeGreaterThan(online.since);
  });

  it("contains a guest while the guest is online", async () => {
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: "200" } });
    const watcher = await server.openTerminalStream("wei");
    expect((await contactsOf(server, "anouk")).has("zoe-smith")).toBe(false);

    const guest = await server.openTerminalStream("zoe-smith");
    await watcher.presence("zoe-smith", "ONLINE");
    for (const client of ["anouk", "wei", "another-guest"]) {
      expect((await contactsOf(server, client)).get("zoe-smith")).toMatchObject({
        status: "ONLINE",
        profile: { id: "zoe-smith", name: "Zoe Smith", guest: true },
      });
    }
    expect((await contactsOf(server, "zoe-smith")).has("zoe-smith")).toBe(false);

    await guest.close();
    await watcher.presence("zoe-smith", "OFFLINE");
    for (const client of ["anouk", "wei", "another-guest"]) {
      expect((await contactsOf(server, client)).has("zoe-smith")).toBe(false);
    }
  });

  it("returns all clients with a document and all online guests for a guest", async () => {
    const server = await startTestServer();
    const guest = await server.openTerminalStream("zoe");
    await server.openTerminalStream("yves");
    await guest.presence("yves", "ONLINE");
    const contacts = await contactsOf(server, "zoe");
    expect([...contacts.keys()].sort()).toEqual([...ROSTER.map(({ id }) => id), "yves"].sort());
    const { contacts: inSnapshot } = await (await server.openTerminalStream("zoe")).snapshot();
    expect(inSnapshot.map(({ client }) => client).sort()).toEqual([...contacts.keys()].sort());
  });

  it("marks a guest's own profile as a guest", async () => {
    const server = await startTestServer();
    const response = await server.request("/api/contacts", { headers: bearer(await server.signIn("zoe")) });
    expect(await response.json()).toMatchObject({ client: "zoe", profile: { id: "zoe", name: "Zoe", guest: true } });
  });

  it("returns 5,000 contacts", async () => {
    const server = await startTestServer({ argv: ["--contacts", "5000"] });
    expect((await contactsOf(server, "anouk")).size).toBe(5_000);
    const { contacts } = await (await server.openTerminalStream("anouk")).snapshot();
    expect(contacts).toHaveLength(5_000);
  });

  it("answers HEAD without a body", async () => {
    const server = await startTestServer();
    const headers = bearer(await server.signIn("anouk"));
    const response = await server.request("/api/contacts", { method: "HEAD", headers });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });

  it("returns 401 without a token", async () => {
    const server = await startTestServer();
    const response = await server.request("/api/contacts");
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await problemOf(response)).toMatchObject({
      type: "urn:presence:problem:token-missing",
      title: "Token missing",
      status: 401,
      detail: expect.stringContaining("Authorization: Bearer"),
    });
  });

  it.each(["Bearer", "Bearer ", "Basic YTpi", "anouk", "Bearer a b"])(
    "returns 401 token-missing for Authorization: %j",
    async (authorization) => {
      const server = await startTestServer();
      const response = await server.request("/api/contacts", { headers: { Authorization: authorization } });
      expect(await problemOf(response)).toMatchObject({ type: "urn:presence:problem:token-missing", status: 401 });
    },
  );

  it("does not accept a token in the query", async () => {
    const server = await startTestServer();
    const response = await server.request(`/api/contacts?token=${await server.signIn("anouk")}`);
    expect(await problemOf(response)).toMatchObject({ type: "urn:presence:problem:token-missing" });
  });

  it("returns 406 if the client does not accept JSON", async () => {
    const server = await startTestServer();
    const response = await server.request("/api/contacts", {
      headers: { ...bearer(await server.signIn("anouk")), Accept: "text/csv" },
    });
    expect(response.status).toBe(406);
    expect(await problemOf(response)).toMatchObject({
      status: 406,
      detail: expect.stringContaining("application/json"),
    });
  });

  it("returns 405 for other methods", async () => {
    const server = await startTestServer();
    const response = await server.request("/api/contacts", { method: "PUT" });
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(await problemOf(response)).toMatchObject({ status: 405 });
  });
});

describe("GET /api/people", () => {
  it("returns the profiles of the roster without a token", async () => {
    const server = await startTestServer();
    const response = await server.request("/api/people");
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-cache");
    const { people } = (await response.json()) as PeopleResponse;
    expect(people.map(({ id }) => id)).toEqual(ROSTER.map(({ id }) => id));
    expect(people[0]).toEqual({
      id: "anouk",
      name: "Anouk Lefèvre",
      role: "Product lead",
      timeZone: "Europe/Paris",
    });
  });

  it("does not contain guests", async () => {
    const server = await startTestServer();
    await (await server.openTerminalStream("zoe")).snapshot();
    expect(await (await server.request("/api/people")).text()).not.toContain("zoe");
  });

  it("returns 405 for other methods", async () => {
    const server = await startTestServer();
    const response = await server.request("/api/people", { method: "POST" });
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(await problemOf(response)).toMatchObject({ status: 405 });
  });
});

async function contactsOf(server: TestServer, client: string): Promise<Map<string, ContactsResponse["contacts"][0]>> {
  const response = await server.request("/api/contacts", { headers: bearer(await server.signIn(client)) });
  const { contacts } = (await response.json()) as ContactsResponse;
  return new Map(contacts.map((contact) => [contact.client, contact]));
}
