import type { LibraryContext } from "./library-context.ts";

/** The API that callbacks use to call Redis. */
export interface Client {
  call: (command: unknown, ...args: unknown[]) => unknown;
}

export interface StreamData {
  id: [bigint, bigint];
  stream_name: string | null;
  record: [string | null, string | null][];
}

export interface StreamTrigger {
  prefix: string;
  callback: (client: Client, data: StreamData) => unknown;
  isStreamTrimmed: boolean;
}

export interface KeySpaceTrigger {
  prefix: string;
  callback: (client: Client, data: { event: string; key: string | null }) => unknown;
}

export type LibraryFunction = (client: Client, ...args: string[]) => unknown;

/** The registrations and log output of a library. */
export interface Registrations {
  name: string;
  functions: Map<string, LibraryFunction>;
  streamTriggers: Map<string, StreamTrigger>;
  keySpaceTriggers: Map<string, KeySpaceTrigger>;
  log: string[];
}

const PROLOGUE = /^#!js api_version=1\.0 name=([A-Za-z0-9_]+)$/;
const LEGAL_NAME = /^[A-Za-z0-9_]+$/;

/**
 * Runs a library's code as `TFUNCTION LOAD` does.
 *
 * @param config the JSON after `CONFIG`
 * @throws if RedisGears would reject it
 */
export function loadLibrary(context: LibraryContext, code: string, config: string | undefined): Registrations {
  const [firstLine = ""] = code.split("\n", 1);
  const name = PROLOGUE.exec(firstLine)?.[1];
  if (name === undefined) throw new Error(`Invalid prologue: ${firstLine}`);
  const registrations: Registrations = {
    name,
    functions: new Map(),
    streamTriggers: new Map(),
    keySpaceTriggers: new Map(),
    log: [],
  };
  let isLoading = true;
  function register<Registered>(kind: Map<string, Registered>, registeredName: unknown, registered: Registered): void {
    if (!isLoading) throw "Can not register outside of the library's loading";
    if (typeof registeredName !== "string" || !LEGAL_NAME.test(registeredName)) {
      throw `Illegal name '${String(registeredName)}'`;
    }
    if (kind.has(registeredName)) throw `'${registeredName}' already exists`;
    kind.set(registeredName, registered);
  }
  context.run(code, {
    ...(config !== undefined && { config: context.realm.JSON.parse(config) }),
    log(text: unknown) {
      if (typeof text !== "string") throw "Wrong argument type given to log";
      registrations.log.push(text);
    },
    registerFunction(functionName: unknown, callback: LibraryFunction) {
      requireFunction(callback);
      register(registrations.functions, functionName, callback);
    },
    registerStreamTrigger(
      triggerName: unknown,
      prefix: unknown,
      callback: StreamTrigger["callback"],
      options: { isStreamTrimmed?: boolean } = {},
    ) {
      requireFunction(callback);
      register(registrations.streamTriggers, triggerName, {
        prefix: requirePrefix(prefix),
        callback,
        isStreamTrimmed: options.isStreamTrimmed ?? false,
      });
    },
    registerKeySpaceTrigger(triggerName: unknown, prefix: unknown, callback: KeySpaceTrigger["callback"]) {
      requireFunction(callback);
      register(registrations.keySpaceTriggers, triggerName, { prefix: requirePrefix(prefix), callback });
    },
  });
  isLoading = false;
  const { functions, streamTriggers, keySpaceTriggers } = registrations;
  if (functions.size + streamTriggers.size + keySpaceTriggers.size === 0) {
    throw new Error("Neither function nor other registrations were found");
  }
  return registrations;
}

function requireFunction(callback: unknown): void {
  if (typeof callback !== "function") throw "The callback must be a function";
}

function requirePrefix(prefix: unknown): string {
  if (typeof prefix !== "string") throw "The prefix must be a string";
  return prefix;
}
