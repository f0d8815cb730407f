import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { holdLock, watchLock } from "./web-lock.ts";

interface Request {
  grant(): Promise<void>;
  signal: AbortSignal | undefined;
}

/** Exclusive locks, as browsers implement them: requests of one name are granted in turn. */
class FakeLocks {
  readonly queues = new Map<string, Request[]>();

  request(name: string, { signal }: { signal?: AbortSignal }, callback: () => unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = this.queues.get(name) ?? [];
      this.queues.set(name, queue);
      const request: Request = {
        signal,
        grant: async () => {
          await callback();
          this.#leave(name, request);
          resolve();
        },
      };
      signal?.addEventListener("abort", () => {
        // A granted request isn't affected.
        if (queue[0] === request) return;
        this.#leave(name, request);
        reject(signal.reason);
      });
      queue.push(request);
      if (queue.length === 1) queueMicrotask(() => void request.grant());
    });
  }

  #leave(name: string, request: Request): void {
    const queue = this.queues.get(name) ?? [];
    const isHolder = queue[0] === request;
    queue.splice(queue.indexOf(request), 1);
    if (queue.length === 0) this.queues.delete(name);
    else if (isHolder) void queue[0]?.grant();
  }
}

let locks: FakeLocks;

beforeEach(() => {
  locks = new FakeLocks();
  vi.stubGlobal("navigator", { locks });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

it("notifies a watcher when the holder releases its lock", async () => {
  const holder = new AbortController();
  const name = await holdLock("test", holder.signal);
  const onReleased = vi.fn();
  watchLock(String(name), new AbortController().signal, onReleased);
  await settle();
  expect(onReleased).not.toHaveBeenCalled();

  holder.abort();
  await settle();
  expect(onReleased).toHaveBeenCalledOnce();
  expect(locks.queues.size, "no lock is left").toBe(0);
});

it("holds nothing if it is aborted before the lock is granted", async () => {
  const holder = new AbortController();
  const held = holdLock("test", holder.signal);
  holder.abort();
  await held;
  await settle();
  expect(locks.queues.size).toBe(0);
});

it("stops watching when it is aborted", async () => {
  const holder = new AbortController();
  const watcher = new AbortController();
  const name = await holdLock("test", holder.signal);
  const onReleased = vi.fn();
  watchLock(String(name), watcher.signal, onReleased);
  watcher.abort();
  holder.abort();
  await settle();
  expect(onReleased).not.toHaveBeenCalled();
  expect(locks.queues.size).toBe(0);
});

it("holds no lock in a browser without locks", async () => {
  vi.stubGlobal("navigator", {});
  expect(await holdLock("test")).toBeUndefined();
});

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
