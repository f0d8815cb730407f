import { leaseKey } from "@presence/protocol";
import { expect, test } from "vitest";
import { DEADLINES_KEY, holdersKey } from "../src/presence/keys.ts";
import { onEachRuntime } from "./on-each-runtime.ts";
import { LEASE_MS } from "./platform.ts";

onEachRuntime((start) => {
  test("a client that signs out is published as OFFLINE immediately and once", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.heartbeat("s1", ["anouk"]);
    await platform.functions.leave("s1", "anouk");
    await platform.functions.leave("s1", "anouk");
    await platform.settle();
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
    expect(await platform.redis.exists(leaseKey("anouk"), DEADLINES_KEY, holdersKey("anouk"))).toBe(0);
  });

  test("a client that signs out before its heartbeat is processed is published as ONLINE, then OFFLINE", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.write("s1", ["anouk"], 5);
    await platform.functions.leave("s1", "anouk");
    await platform.settle();
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
  });

  test("if another server holds a lease, a sign-out causes no event and that server gets the lease", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.sweep();
    const firstMs = await platform.heartbeat("s1", ["anouk"], LEASE_MS - 800);
    await platform.heartbeat("s2", ["anouk"]);
    await platform.functions.leave("s2", "anouk");
    await platform.settle();
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("s1");
    expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBe(firstMs + LEASE_MS);
    await platform.sweepPast(firstMs + LEASE_MS);
    expect(await platform.events("viewer")).toMatchObject([{}, { status: "OFFLINE", due: firstMs + LEASE_MS }]);
  });

  test("a sign-out at a server without the lease does not change the lease", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.heartbeat("s1", ["anouk"], 10);
    const atMs = await platform.heartbeat("s2", ["anouk"]);
    await platform.functions.leave("s1", "anouk");
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("s2");
    expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBe(atMs + LEASE_MS);
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
    await platform.functions.leave("s2", "anouk");
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
  });

  test("a sign-out at another server does not shorten a renewed lease", async () => {
    const platform = await start();
    await platform.heartbeat("s1", ["anouk"], 1000);
    await platform.heartbeat("s2", ["anouk"], 900);
    const atMs = await platform.heartbeat("s2", ["anouk"]);
    await platform.functions.leave("s1", "anouk");
    expect(await platform.redis.pexpiretime(leaseKey("anouk"))).toBe(atMs + LEASE_MS);
  });

  test("of three servers, the last sign-out publishes OFFLINE", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    for (const server of ["s1", "s2", "s3", "s1"]) await platform.heartbeat(server, ["anouk"]);
    for (const server of ["s1", "s3"]) await platform.functions.leave(server, "anouk");
    expect(await platform.published("viewer")).toHaveLength(1);
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("s2");
    await platform.functions.leave("s2", "anouk");
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE left"]);
  });

  test("a client whose lease was handed over times out at the other server", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.sweep();
    await platform.heartbeat("s1", ["anouk"], LEASE_MS - 900);
    await platform.heartbeat("s2", ["anouk"], LEASE_MS - 901);
    await platform.functions.leave("s2", "anouk");
    await platform.functions.forget("s2");
    await platform.heartbeat("s1", []);
    await platform.sweepUntil(async () => (await platform.published("viewer")).length > 1);
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected", "anouk OFFLINE timed-out"]);
  });

  test("an externally created lease survives a sign-out at another server", async () => {
    const platform = await start();
    await platform.watch("viewer", ["anouk"]);
    await platform.redis.set(leaseKey("anouk"), "script", "PX", 60_000);
    await platform.functions.leave("s1", "anouk");
    await platform.settle();
    expect(await platform.published("viewer")).toEqual(["anouk ONLINE connected"]);
    expect(await platform.redis.get(leaseKey("anouk"))).toBe("script");
  });

  test("a sign-out of an invalid id does nothing", async () => {
    const platform = await start();
    for (const client of ["", "a b", "*", "a".repeat(65)]) await platform.functions.leave("s1", client);
    expect((await platform.keys("*")).filter((key) => key !== "heartbeat")).toEqual([]);
  });
});
