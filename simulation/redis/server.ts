import { Database } from "./database.ts";
import { BrokenOffError, type CallFault, runInside } from "./function-calls.ts";
import type { Dump } from "./keyspace.ts";
import { OK, type Reply, ReplyError, Status } from "./reply.ts";
import { compareStreamIds, parseStreamId, type StreamId } from "./stream.ts";
import { readAfter } from "./stream-commands.ts";

/** The functions of a library by their names in Redis. */
export type RegisteredFunctions = Readonly<Record<string, (keys: string[], args: string[]) => unknown>>;

/** A connection, as the server sees it. */
export interface Peer {
  /** Sends a Pub/Sub message. */
  message(channel: string, text: string): void;
}

/** A read that waits for a stream to grow. */
interface BlockedRead {
  peer: Peer;
  key: string;
  after: StreamId;
  limit: number;
  answer(reply: Reply): void;
}

export interface ServerOptions {
  functions: RegisteredFunctions;
  /** ms since the epoch, by the server's own clock. */
  nowMs: () => number;
}

/**
 * An in-memory Redis server: one database, Pub/Sub with keyspace notifications, blocking reads of streams, and functions.
 * It answers at once; what delays or loses requests and replies is between it and its clients.
 */
export class SimulatedServer {
  readonly database: Database;
  readonly #functions: RegisteredFunctions;
  readonly #nowMs: () => number;
  readonly #subscribers = new Map<string, Set<Peer>>();
  #blocked: BlockedRead[] = [];
  #runNumber = 1;
  #replicationNumber = 1;
  #notificationFlags = "";
  #clockOffsetMs = 0;
  #fault: CallFault | undefined;
  /** The most commands that a call has run. */
  mostCommandsPerCall = 0;
  /** Whether keyspace notifications are lost on their way. */
  losesNotifications = false;

  constructor({ functions, nowMs }: ServerOptions) {
    this.#functions = functions;
    this.#nowMs = nowMs;
    this.database = new Database({
      nowUs: () => (this.#nowMs() + this.#clockOffsetMs) * 1000,
      info: () => this.#info(),
      onEvent: (event, key) => {
        if (this.#notificationFlags !== "" && !this.losesNotifications) {
          this.publish(`__keyevent@0__:${event}`, key);
        }
      },
    });
  }

  /**
   * Runs a command for a client.
   *
   * @param answer called once with the reply, at once or, for a blocking read, when there is something to read
   * @throws {ReplyError}
   */
  run(peer: Peer, name: string, args: readonly string[], answer: (reply: Reply) => void): void {
    switch (name) {
      case "XREAD":
        this.#readStream(peer, args, answer);
        return;
      case "FCALL":
        answer(this.#callFunction(args));
        break;
      case "FCALL_RO":
        answer(this.#callFunction(args));
        return;
      case "SUBSCRIBE":
        for (const channel of args) this.#subscribe(channel, peer);
        answer(null);
        return;
      case "PUBLISH":
        answer(this.publish(args[0] ?? "", args[1] ?? ""));
        return;
      case "CONFIG":
        answer(this.#config(args));
        return;
      case "PING":
        answer(new Status("PONG"));
        return;
      default:
        answer(this.database.run(name, args));
    }
    this.#wakeReaders();
  }

  /** @returns how many subscribers there are */
  publish(channel: string, text: string): number {
    const peers = this.#subscribers.get(channel) ?? new Set();
    for (const peer of peers) peer.message(channel, text);
    return peers.size;
  }

  /** The client's connection has ended. */
  forget(peer: Peer): void {
    for (const peers of this.#subscribers.values()) peers.delete(peer);
    this.#blocked = this.#blocked.filter((read) => read.peer !== peer);
  }

  /** A blocked read gives up: it is answered with nil. */
  endBlockedReads(peer: Peer): void {
    const ended = this.#blocked.filter((read) => read.peer === peer);
    this.#blocked = this.#blocked.filter((read) => read.peer !== peer);
    for (const read of ended) read.answer(null);
  }

  /** The next call of a function ends early. */
  failNextCall(fault: CallFault): void {
    this.#fault = fault;
  }

  /** Another process takes this one's place: with these data, or none. Connections have to be cut by the caller. */
  restart(data: Dump | undefined): void {
    if (data === undefined) this.database.keyspace.clear();
    else this.database.keyspace.restore(data);
    this.#runNumber += 1;
    this.#notificationFlags = "";
  }

  /** As after a failover, or when the first replica attaches to a primary: the data keep their history's name no longer. */
  changeReplicationId(): void {
    this.#replicationNumber += 1;
  }

  stepClock(byMs: number): void {
    this.#clockOffsetMs += byMs;
  }

  /** Runs a command of another program, with no connection between. */
  runDirectly(name: string, ...args: string[]): Reply {
    const reply = this.database.run(name, args);
    this.#wakeReaders();
    return reply;
  }

  #info(): string {
    const id = (prefix: string, number: number) => prefix.padEnd(40 - String(number).length, "0") + number;
    return [
      `run_id:${id("a", this.#runNumber)}`,
      "role:master",
      `master_replid:${id("b", this.#replicationNumber)}`,
      "redis_version:7.0.15",
    ].join("\r\n");
  }

  #callFunction([name = "", keyCount = "0", ...rest]: readonly string[]): Reply {
    const run = this.#functions[name];
    if (run === undefined) throw new ReplyError("ERR Function not found");
    const keys = rest.slice(0, Number(keyCount));
    const args = rest.slice(Number(keyCount));
    const fault = this.#fault;
    this.#fault = undefined;
    try {
      const { result, commandCount } = runInside(this.database, () => run([...keys], [...args]), fault);
      this.mostCommandsPerCall = Math.max(this.mostCommandsPerCall, commandCount);
      return fromLua(result);
    } catch (error) {
      if (error instanceof BrokenOffError) throw new ReplyError(error.message);
      throw error;
    }
  }

  #readStream(peer: Peer, args: readonly string[], answer: (reply: Reply) => void): void {
    const at = (word: string) => args.findIndex((arg) => arg.toUpperCase() === word);
    const limit = Number(args[at("COUNT") + 1]);
    const key = args[at("STREAMS") + 1] ?? "";
    const after = parseStreamId(args[at("STREAMS") + 2], 0);
    const reply = readAfter(this.database.keyspace.get("stream", key), key, after, limit);
    if (reply !== null || at("BLOCK") < 0) answer(reply);
    else this.#blocked.push({ peer, key, after, limit, answer });
  }

  #wakeReaders(): void {
    if (this.#blocked.length === 0) return;
    const waiting: BlockedRead[] = [];
    for (const read of this.#blocked) {
      const { keyspace } = this.database;
      const stream = keyspace.typeOf(read.key) === "stream" ? keyspace.get("stream", read.key) : undefined;
      const isReady = stream !== undefined && compareStreamIds(stream.lastId, read.after) > 0;
      const reply = isReady ? readAfter(stream, read.key, read.after, read.limit) : null;
      if (reply === null) waiting.push(read);
      else read.answer(reply);
    }
    this.#blocked = waiting;
  }

  #subscribe(channel: string, peer: Peer): void {
    const peers = this.#subscribers.get(channel) ?? new Set();
    peers.add(peer);
    this.#subscribers.set(channel, peers);
  }

  #config([action, parameter, value = ""]: readonly string[]): Reply {
    if (parameter !== "notify-keyspace-events") throw new ReplyError("ERR Unknown option or number of arguments");
    if (action === "GET") return [parameter, this.#notificationFlags];
    this.#notificationFlags = value;
    return OK;
  }
}

/** A value that a function returned, as a client gets it: Lua's numbers become integers, `false` nil, `true` 1. */
function fromLua(value: unknown): Reply {
  if (value === undefined || value === null || value === false) return null;
  if (value === true) return 1;
  if (typeof value === "number") return Math.trunc(value);
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(fromLua);
  throw new Error("a function returned something that Redis has no reply for");
}
