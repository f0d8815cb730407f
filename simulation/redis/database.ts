import { type Command, type CommandContext, type CommandTable, checkArity } from "./command.ts";
import { HASH_COMMANDS } from "./hash-commands.ts";
import { type KeyEvent, Keyspace } from "./keyspace.ts";
import { type Reply, ReplyError } from "./reply.ts";
import { SET_COMMANDS } from "./set-commands.ts";
import { SORTED_SET_COMMANDS } from "./sorted-set-commands.ts";
import { STREAM_COMMANDS } from "./stream-commands.ts";
import { STRING_COMMANDS } from "./string-commands.ts";

const COMMANDS: CommandTable = {
  ...STRING_COMMANDS,
  ...HASH_COMMANDS,
  ...SET_COMMANDS,
  ...SORTED_SET_COMMANDS,
  ...STREAM_COMMANDS,
};

export interface DatabaseOptions {
  /** The clock, in µs since the epoch. */
  nowUs: () => number;
  onEvent?: (event: KeyEvent, key: string) => void;
  /** What `INFO` answers. */
  info?: () => string;
}

/** One database of an in-memory Redis: runs commands, one after the other. It has just those that the platform uses. */
export class Database {
  readonly keyspace: Keyspace;
  readonly #nowUs: () => number;
  readonly #info: () => string;
  /** Memory has run out: commands that may need more are refused. */
  isFull = false;

  constructor({ nowUs, onEvent, info = () => "" }: DatabaseOptions) {
    this.#nowUs = nowUs;
    this.#info = info;
    this.keyspace = new Keyspace(() => Math.floor(nowUs() / 1000), onEvent);
  }

  /** @throws {ReplyError} what Redis would answer as an error */
  run(name: string, args: readonly string[]): Reply {
    if (name === "INFO") return this.#info();
    const command = commandOf(name);
    checkArity(name, command, args.length);
    if (this.isFull && command.growsMemory) {
      throw new ReplyError("OOM command not allowed when used memory > 'maxmemory'.");
    }
    const context: CommandContext = { keyspace: this.keyspace, nowUs: this.#nowUs() };
    return command.run(context, args);
  }
}

/** @throws {ReplyError} where there is no such command here */
function commandOf(name: string): Command {
  const command = COMMANDS[name.toUpperCase()];
  if (command === undefined) throw new ReplyError(`ERR unknown command '${name}'`);
  return command;
}
