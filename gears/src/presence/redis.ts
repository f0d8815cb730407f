/**
 * What the logic needs of Redis, from inside: a synchronous call. RedisGears and Redis Functions each have one, and they
 * differ in how replies come back, so nothing here relies on more than strings, integers and lists of strings.
 */
export interface Redis {
  /** Runs a command. All arguments are strings. Throws where Redis answers with an error. */
  call: (this: void, command: string, ...args: string[]) => unknown;

  /** As `call`, but an error comes back as an object, and the caller goes on. */
  attempt: (this: void, command: string, ...args: string[]) => unknown;

  /** The strings in the `contacts` of a contact document; none where it is no such document. */
  contactsIn: (this: void, json: string) => string[];

  /** As `isClientId` of the protocol: its regular expression, or what the language has in its place. */
  isLegalId: (this: void, id: string) => boolean;
}

/** The same Redis for one who names keys without `prefix`, which all of them have. */
export function withPrefix({ call, attempt, ...rest }: Redis, prefix: string): Redis {
  return { call: prefixed(call, prefix), attempt: prefixed(attempt, prefix), ...rest };
}

function prefixed(run: Redis["call"], prefix: string): Redis["call"] {
  return (command: string, first?: string, ...rest: string[]) => {
    if (first === undefined) return run(command);
    // These take keys and nothing else; of every other command that the logic gives, the first argument is the key.
    const areAllKeys = command === "MGET" || command === "DEL" || command === "EXISTS";
    return areAllKeys
      ? run(command, prefix + first, ...rest.map((key) => prefix + key))
      : run(command, prefix + first, ...rest);
  };
}

/** As many arguments as one call may be given: Lua's stack holds some thousands. */
const MAX_ARGUMENTS = 1000;

/** A reply that is a string; `undefined` where there is no value (`null` to JavaScript, `false` to Lua). */
export function textOf(reply: unknown): string | undefined {
  return typeof reply === "string" ? reply : undefined;
}

/** A reply that is a number, if it is one: an integer (a BigInt in RedisGears), or a score (a string in Lua). */
export function scoreOf(reply: unknown): number | undefined {
  return typeof reply === "string" || typeof reply === "number" || typeof reply === "bigint"
    ? Number(reply)
    : undefined;
}

/** As `scoreOf`, and 0 where it is none. */
export function numberOf(reply: unknown): number {
  return scoreOf(reply) ?? 0;
}

/**
 * A reply that is a list or a set of strings, to be iterated. A set is a `Set` in RedisGears, and a list in Lua; `for … of`
 * goes through both.
 */
export function listOf(reply: unknown): readonly string[] {
  return reply as readonly string[];
}

/** A reply that is a list, to be indexed; empty where it is none. */
export function valuesOf(reply: unknown): readonly unknown[] {
  return typeof reply === "object" && reply !== null ? (reply as readonly unknown[]) : [];
}

/** Calls `use` with parts of `items` that are small enough for one call. */
export function inParts(items: readonly string[], use: (part: readonly string[]) => void): void {
  if (items.length <= MAX_ARGUMENTS) {
    if (items.length > 0) use(items);
    return;
  }
  for (let start = 0; start < items.length; start += MAX_ARGUMENTS) use(items.slice(start, start + MAX_ARGUMENTS));
}
