import { afterEach, describe, expect, it, vi } from "vitest";
import { Issuer } from "../../test/issuer.ts";
import { respellSignature, SHARED_SECRET, secondsFromNow, signWithSecret, unsignedToken } from "../../test/tokens.ts";
import { createDemoSessions, createJwksSessions, createSharedSecretSessions } from "./jwt-sessions.ts";
import { MemoryRevocations } from "./memory-revocations.ts";
import { type Sessions, TokenError } from "./sessions.ts";

const LIMITS = { maxTokenLifetimeMs: 2 * 3_600_000 };

const HOUR_MS = 3_600_000;
const DEMO_KEY = new Uint8Array(32).fill(7);

afterEach(() => {
  vi.useRealTimers();
});

describe("demo sessions", () => {
  it("accept an issued token until it expires", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1_700_000_000_500 });
    const sessions = createDemoSessions(DEMO_KEY, HOUR_MS, new MemoryRevocations());
    const { token, expiresAt } = await sessions.issue("anouk");
    expect(expiresAt).toBe(1_700_003_600_000);
    expect(await sessions.verify(token)).toEqual({ client: "anouk", key: expect.any(String), expiresAt });
    vi.setSystemTime(expiresAt);
    expect(await refusal(sessions, token)).toBe("token-expired");
  });

  it("issue a different token each time", async () => {
    const sessions = createDemoSessions(DEMO_KEY, HOUR_MS, new MemoryRevocations());
    const [first, second] = await Promise.all([sessions.issue("anouk"), sessions.issue("anouk")]);
    expect(first.token).not.toBe(second.token);
    await sessions.revoke(await sessions.verify(first.token));
    expect(await refusal(sessions, first.token)).toBe("signed-out");
    expect((await sessions.verify(second.token)).client).toBe("anouk");
  });

  it("reject a token that is signed with another key", async () => {
    const { token } = await createDemoSessions(new Uint8Array(32).fill(8), HOUR_MS, new MemoryRevocations()).issue(
      "anouk",
    );
    expect(await refusal(createDemoSessions(DEMO_KEY, HOUR_MS, new MemoryRevocations()), token)).toBe("token-invalid");
  });

  it("reject a token of another issuer that is signed with the same key", async () => {
    const token = await signWithSecret({ sub: "anouk", exp: secondsFromNow(60) }, "7".repeat(32));
    const sessions = createDemoSessions(new TextEncoder().encode("7".repeat(32)), HOUR_MS, new MemoryRevocations());
    expect(await refusal(sessions, token)).toBe("token-invalid");
  });

  it("reject a revoked token in each spelling of its signature", async () => {
    const sessions = createDemoSessions(DEMO_KEY, HOUR_MS, new MemoryRevocations());
    const { token } = await sessions.issue("anouk");
    const respelled = respellSignature(token);
    const session = await sessions.verify(token);
    // The test is meaningful only if both spellings are valid.
    expect(await sessions.verify(respelled)).toEqual(session);
    await sessions.revoke(session);
    expect(await refusal(sessions, respelled)).toBe("signed-out");
  });
});

describe("shared secret sessions", () => {
  const sessions = createSharedSecretSessions(SHARED_SECRET, new MemoryRevocations(), LIMITS);

  it("use the token's subject as the client and its expiry", async () => {
    const exp = Math.floor(secondsFromNow(60));
    const session = await sessions.verify(await signWithSecret({ sub: "anouk", exp }));
    expect(session).toEqual({ client: "anouk", key: expect.any(String), expiresAt: exp * 1000 });
  });

  it("accept a short secret", async () => {
    const token = await signWithSecret({ sub: "anouk", exp: secondsFromNow(60) }, "x");
    expect((await createSharedSecretSessions("x", new MemoryRevocations(), LIMITS).verify(token)).client).toBe("anouk");
  });

  it.each([
    ["expired", "token-expired", () => signWithSecret({ sub: "anouk", exp: secondsFromNow(-1) })],
    ["without expiry", "token-invalid", () => signWithSecret({ sub: "anouk" })],
    ["without subject", "token-invalid", () => signWithSecret({ exp: secondsFromNow(60) })],
    ["with an invalid subject", "token-invalid", () => signWithSecret({ sub: "an/ouk", exp: secondsFromNow(60) })],
    ["with an empty subject", "token-invalid", () => signWithSecret({ sub: "", exp: secondsFromNow(60) })],
    [
      "not valid yet",
      "token-invalid",
      () => signWithSecret({ sub: "anouk", exp: secondsFromNow(60), nbf: secondsFromNow(30) }),
    ],
    [
      "signed with another secret",
      "token-invalid",
      () => signWithSecret({ sub: "anouk", exp: secondsFromNow(60) }, "another-secret-of-thirty-two-bytes"),
    ],
    ["without signature", "token-invalid", () => unsignedToken({ sub: "anouk", exp: secondsFromNow(60) })],
    ["that is not a JWT", "token-invalid", () => "anouk"],
    ["that is empty", "token-invalid", () => ""],
    ["of two dots", "token-invalid", () => ".."],
  ])("reject a token %s", async (_what, type, create) => {
    expect(await refusal(sessions, await create())).toBe(type);
  });

  it.each([1, 10, 60])("reject a token without its last %i characters", async (count) => {
    const token = await signWithSecret({ sub: "anouk", exp: secondsFromNow(60) });
    expect(await refusal(sessions, token.slice(0, -count))).toBe("token-invalid");
  });
});

describe("JWKS sessions", () => {
  it("accept the issuer's tokens, and fetch its keys once", async () => {
    const issuer = await Issuer.start();
    const sessions = createJwksSessions(new URL(issuer.jwksUrl), new MemoryRevocations(), LIMITS);
    for (const client of ["anouk", "magali"]) {
      const token = await issuer.sign({ sub: client, exp: secondsFromNow(60) });
      expect((await sessions.verify(token)).client).toBe(client);
    }
    expect(issuer.fetches).toBe(1);
  });

  it("reject another issuer's tokens", async () => {
    const [issuer, other] = await Promise.all([Issuer.start(), Issuer.start()]);
    const sessions = createJwksSessions(new URL(issuer.jwksUrl), new MemoryRevocations(), LIMITS);
    expect(await refusal(sessions, await other.sign({ sub: "anouk", exp: secondsFromNow(60) }))).toBe("token-invalid");
  });

  it("reject a token that uses the public key as a shared secret", async () => {
    const issuer = await Issuer.start();
    const sessions = createJwksSessions(new URL(issuer.jwksUrl), new MemoryRevocations(), LIMITS);
    const forged = await issuer.forgeWithPublicKey({ sub: "anouk", exp: secondsFromNow(60) });
    expect(await refusal(sessions, forged)).toBe("token-invalid");
  });

  it("reject a token without signature", async () => {
    const issuer = await Issuer.start();
    const sessions = createJwksSessions(new URL(issuer.jwksUrl), new MemoryRevocations(), LIMITS);
    expect(await refusal(sessions, unsignedToken({ sub: "anouk", exp: secondsFromNow(60) }))).toBe("token-invalid");
  });

  it.each([{ sub: "anouk" }, { exp: 4_000_000_000 }])("reject a token with only the claims %j", async (claims) => {
    const issuer = await Issuer.start();
    const sessions = createJwksSessions(new URL(issuer.jwksUrl), new MemoryRevocations(), LIMITS);
    expect(await refusal(sessions, await issuer.sign(claims))).toBe("token-invalid");
  });

  it("fetch the keys again after a key rotation, but not for each unknown key", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const [issuer, other] = await Promise.all([Issuer.start(), Issuer.start()]);
    const sessions = createJwksSessions(new URL(issuer.jwksUrl), new MemoryRevocations(), LIMITS);
    const old = await issuer.sign({ sub: "anouk", exp: secondsFromNow(3_600) });
    await sessions.verify(old);
    await other.rotate();
    const strange = await other.sign({ sub: "anouk", exp: secondsFromNow(3_600) });
    for (let attempt = 0; attempt < 5; attempt += 1) await refusal(sessions, strange);
    expect(issuer.fetches).toBe(1);

    await issuer.rotate();
    vi.setSystemTime(Date.now() + 60_000);
    const fresh = await issuer.sign({ sub: "magali", exp: secondsFromNow(3_600) });
    expect((await sessions.verify(fresh)).client).toBe("magali");
    expect(issuer.fetches).toBe(2);
    expect(await refusal(sessions, old)).toBe("token-invalid");
  });

  it.each([404, 500])("report keys-unavailable if the issuer answers %i, and recover", async (status) => {
    const issuer = await Issuer.start();
    const sessions = createJwksSessions(new URL(issuer.jwksUrl), new MemoryRevocations(), LIMITS);
    const token = await issuer.sign({ sub: "anouk", exp: secondsFromNow(60) });
    issuer.status = status;
    expect(await refusal(sessions, token)).toBe("keys-unavailable");
    issuer.status = 200;
    expect((await sessions.verify(token)).client).toBe("anouk");
  });
});

/** Why the token is rejected. */
async function refusal(sessions: Sessions, token: string): Promise<string> {
  try {
    await sessions.verify(token);
  } catch (error) {
    if (error instanceof TokenError) return error.type;
    throw error;
  }
  throw new Error("it was accepted");
}
