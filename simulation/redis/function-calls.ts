import type { Database } from "./database.ts";
import { type Reply, ReplyError, Status } from "./reply.ts";

/** How a function call ends early. */
export type CallFault =
  /** Redis stops the function before its nth command; what it wrote before stays, as RedisGears does it after 500 ms */
  | { kind: "broken-off"; atCommand: number }
  /** the nth command is answered with an error */
  | { kind: "error"; atCommand: number; message: string };

/** The function was stopped by Redis. */
export class BrokenOffError extends Error {
  constructor() {
    super("ERR Execution was terminated due to reaching timeout");
    this.name = "BrokenOffError";
  }
}

interface RunningCall {
  database: Database;
  fault: CallFault | undefined;
  commandCount: number;
}

let running: RunningCall | undefined;

/**
 * What a Redis Functions library finds in its environment: the globals that the compiled logic refers to.
 *
 * This module has to be loaded before the library is.
 */
const environment = {
  redis: {
    call: (name: string, ...args: string[]) => runCommand(name, args),
    pcall(name: string, ...args: string[]) {
      try {
        return runCommand(name, args);
      } catch (error) {
        if (error instanceof ReplyError) return { err: error.message };
        throw error;
      }
    },
  },
  string: {
    find(text: string, pattern: string) {
      const index = text.search(new RegExp(pattern));
      return index < 0 ? undefined : index + 1;
    },
  },
  cjson: { decode: (json: string): unknown => JSON.parse(json) },
  pcall<Result>(call: () => Result): [true, Result] | [false, unknown] {
    try {
      return [true, call()];
    } catch (error) {
      if (error instanceof BrokenOffError) throw error;
      return [false, error];
    }
  },
};

Object.assign(globalThis, environment);

/** What a function call did. */
export interface CallOutcome<Result> {
  result: Result;
  /** How many commands it ran inside Redis. */
  commandCount: number;
}

/**
 * Runs a function of the library on a database, in one step.
 *
 * @throws {ReplyError} an error of a command that the function does not catch
 * @throws {BrokenOffError}
 */
export function runInside<Result>(database: Database, call: () => Result, fault?: CallFault): CallOutcome<Result> {
  const outer = running;
  const current: RunningCall = { database, fault, commandCount: 0 };
  running = current;
  try {
    return { result: call(), commandCount: current.commandCount };
  } finally {
    running = outer;
  }
}

function runCommand(name: string, args: readonly string[]): unknown {
  if (running === undefined) throw new Error("commands run inside of a function call only");
  running.commandCount += 1;
  const { fault, commandCount, database } = running;
  if (fault !== undefined && commandCount >= fault.atCommand) {
    if (fault.kind === "broken-off") throw new BrokenOffError();
    if (commandCount === fault.atCommand) throw new ReplyError(fault.message);
  }
  return toLua(database.run(name, args));
}

/** A reply as Lua sees it: nil is `false`. */
function toLua(reply: Reply): unknown {
  if (reply === null) return false;
  if (reply instanceof Status) return { ok: reply.text };
  return Array.isArray(reply) ? reply.map(toLua) : reply;
}
