import type { Keyspace } from "./keyspace.ts";
import { type Reply, ReplyError } from "./reply.ts";

/** What a command works with. */
export interface CommandContext {
  keyspace: Keyspace;
  /** The server's clock in µs since the epoch; it stands still during a function call. */
  nowUs: number;
}

export interface Command {
  /** How many arguments follow the name: exactly that many, or at least `-arity` where it is negative. */
  arity: number;
  isWrite: boolean;
  /** Whether Redis refuses it when memory has run out: it may need more. */
  growsMemory: boolean;
  run: (context: CommandContext, args: readonly string[]) => Reply;
}

export type CommandTable = Readonly<Record<string, Command>>;

type Run = Command["run"];

export function readCommand(arity: number, run: Run): Command {
  return { arity, isWrite: false, growsMemory: false, run };
}

/** A write that Redis allows even when memory has run out. */
export function shrinkingWrite(arity: number, run: Run): Command {
  return { arity, isWrite: true, growsMemory: false, run };
}

export function growingWrite(arity: number, run: Run): Command {
  return { arity, isWrite: true, growsMemory: true, run };
}

/** @throws {ReplyError} where there are too few or too many arguments */
export function checkArity(name: string, { arity }: Command, argumentCount: number): void {
  const isRight = arity >= 0 ? argumentCount === arity : argumentCount >= -arity;
  if (!isRight) throw new ReplyError(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
}

/** `items` two by two. */
export function pairsOf(items: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < items.length; index += 2) pairs.push([items[index] ?? "", items[index + 1] ?? ""]);
  return pairs;
}
