/**
 * The synchronous Redis API that the logic uses inside Redis. RedisGears and Redis Functions convert replies differently,
 * so the logic relies only on strings, integers and lists of strings.
 */
export interface Redis {
  /** Runs a command. All arguments are strings. Throws if Redis replies with an error. */
  call: (this: void, command: string, ...args: string[]) => unknown;

  /** Like `call`, but returns an error as an object. */
  attempt: (this: void, command: string, ...args: string[]) => unknown;

  /** The strings in the `contacts` of a contact document. Empty if the document is malformed. */
  contactsIn: (this: void, json: string) => string[];

  /** Like `isClientId` of the protocol; in Lua with a Lua pattern. */
  isLegalId: (this: void, id: string) => boolean;
}

/** A view of Redis that adds `prefix` to each key. */
export function withPrefix({ call, attempt, ...rest }: Redis, prefix: string): Redis {
  return { call: prefixed(call, prefix), attempt: prefixed(attempt, prefix), ...rest };
}

function prefixed(run: Redis["call"], prefix: string): Redis["call"] {
  return (command: string, first?: string, ...rest: string[]) => {
    if (first === undefined) return run(command);
    if (command === "INFO") return run(command, first);
    // All arguments of these commands are keys. Of every other command that the logic uses, only the first argument is.
    const areAllKeys = command === "MGET" || command === "DEL" || command === "EXISTS";
    return areAllKeys
      ? run(command, prefix + first, ...rest.map((key) => prefix + key))
      : run(command, prefix + first, ...rest);
  };
}

/** The maximum number of arguments per call. Lua's stack holds a few thousand values. */
const MAX_ARGUMENTS = 1000;

/** The reply as a string. `undefined` if there is no value (`null` in JavaScript, `false` in Lua). */
export function textOf(reply: unknown): string | undefined {
  return typeof reply === "string" ? reply : undefined;
}

/**
 * The reply as a number: an integer (a BigInt in RedisGears) or a score (a string in Lua). `undefined` if it is neither.
 */
export function scoreOf(reply: unknown): number | undefined {
  return typeof reply === "string" || typeof reply === "number" || typeof reply === "bigint"
    ? Number(reply)
    : undefined;
}

/** Like `scoreOf`, but 0 instead of `undefined`. */
export function numberOf(reply: unknown): number {
  return scoreOf(reply) ?? 0;
}

/** A list or set reply, to iterate with `for … of`. A set reply is a `Set` in RedisGears and a list in Lua. */
export function listOf(reply: unknown): readonly string[] {
  return reply as readonly string[];
}

/** A list reply, to index. Empty for any other reply. */
export function valuesOf(reply: unknown): readonly unknown[] {
  return typeof reply === "object" && reply !== null ? (reply as readonly unknown[]) : [];
}

/** Calls `use` with chunks of `items` that are small enough for the arguments of one call. */
export function inChunks(items: readonly string[], use: (chunk: readonly string[]) => void): void {
  if (items.length <= MAX_ARGUMENTS) {
    if (items.length > 0) use(items);
    return;
  }
  for (let start = 0; start < items.length; start += MAX_ARGUMENTS) use(items.slice(start, start + MAX_ARGUMENTS));
}
