import { leaseKey } from "@presence/protocol";
import { expect, test } from "vitest";
import { DEADLINES_KEY, holdersKey } from "../src/presence/keys.ts";
import { onEachRuntime } from "./on-each-runtime.ts";
import { LEASE_MS } from "./platform.ts";

onEachRuntime((start) => {
  test("a client that signs out is OFFLINE at once, once", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.heartbeat("s1", ["anouk"]);
    await platform.functions.leave("s1", "anouk");
    await platform.functions.leave("s1", "anouk");
    await platform.settle();
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
    expect(await platform.redis.exists(leaseKey("anouk"), DEADLINES_KEY, holdersKey("anouk"))).toBe(0);
  });

  test("one who signs out before its heartbeat was worked off comes and goes in that order", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.write("s1", ["anouk"], 5);
    await platform.functions.leave("s1", "anouk");
    await platform.settle();
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
  });

  test("while a second server vouches for the client there is no event, and that server has the lease", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.sweep();
    const firstMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 800);
    await platform.heartbeat("s2", ["anouk"]);
    await platform.functions.leave("s2", "anouk");
    await platform.settle();
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected"]);
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("s1");
    expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBe(firstMs + LEASE_MS);
    await platform.sweepPast(firstMs + LEASE_MS);
    expect(await platform.announcements("viewer")).toMatchObject([{}, { status: "OFFLINE", due: firstMs + LEASE_MS }]);
  });

  test("signing out at the server without the lease leaves it with the other", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.heartbeat("s1", ["anouk"], 10);
    const atMs = await platform.heartbeat("s2", ["anouk"]);
    await platform.functions.leave("s1", "anouk");
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("s2");
    expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBe(atMs + LEASE_MS);
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected"]);
    await platform.functions.leave("s2", "anouk");
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
  });

  test("signing out elsewhere doesn't shorten what the holder of the lease has prolonged since", async () => {
    const platform = await start();
    await platform.heartbeat("s1", ["anouk"], 1000);
    await platform.heartbeat("s2", ["anouk"], 900);
    const atMs = await platform.heartbeat("s2", ["anouk"]);
    await platform.functions.leave("s1", "anouk");
    expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBe(atMs + LEASE_MS);
  });

  test("of three servers, the last to be left ends it", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    for (const server of ["s1", "s2", "s3", "s1"]) await platform.heartbeat(server, ["anouk"]);
    for (const server of ["s1", "s3"]) await platform.functions.leave(server, "anouk");
    expect(await platform.told("viewer")).toHaveLength(1);
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("s2");
    await platform.functions.leave("s2", "anouk");
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
  });

  test("a client whose lease was handed over times out at its new server", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.sweep();
    await platform.heartbeat("s1", ["anouk"], LEASE_MS - 900);
    await platform.heartbeat("s2", ["anouk"], LEASE_MS - 901);
    await platform.functions.leave("s2", "anouk");
    await platform.functions.forget("s2");
    await platform.heartbeat("s1", []);
    await platform.sweepUntil(async () => (await platform.told("viewer")).length > 1);
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE timed-out"]);
  });

  test("a lease of another hand survives a sign-out elsewhere", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.redis.set(leaseKey("anouk"), "by-hand", "PX", 60_000);
    await platform.functions.leave("s1", "anouk");
    await platform.settle();
    expect(await platform.told("viewer")).toEqual(["anouk ONLINE connected"]);
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("by-hand");
  });

  test("signing out an illegal id does nothing", async () => {
    const platform = await start();
    for (const client of ["", "a b", "*", "a".repeat(65)]) await platform.functions.leave("s1", client);
    expect((await platform.keys("*")).filter((key) => key !== "heartbeat")).toEqual([]);
  });
});
