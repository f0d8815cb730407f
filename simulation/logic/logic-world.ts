import { contactKey, downstreamKey, HEARTBEAT_KEY, LEASE_KEY_PREFIX, leaseKey } from "@presence/protocol";
import { Database } from "../redis/database.ts";
import { BrokenOffError, type CallFault, runInside } from "../redis/function-calls.ts";
import type { Dump } from "../redis/keyspace.ts";
import { type Reply, ReplyError } from "../redis/reply.ts";
import { compareStreamIds, type StreamEntry } from "../redis/stream.ts";
import { Trace } from "../trace.ts";
import { Violation } from "../violation.ts";
import { Expectations } from "./expectations.ts";
import { Follower, type Reading, type StreamEvent } from "./follower.ts";
import { type FunctionName, library } from "./library.ts";
import { CLIENTS, FOLLOWING_SERVERS, HOSTS, INTERVAL_MS, type LogicStep, SERVERS } from "./logic-step.ts";

const LEASE_MS = 1.5 * INTERVAL_MS;
const START_US = 1_800_000_000_000_000;
const TICK_MS = INTERVAL_MS / 10;
/** At rest: after so long without faults, everything has to be right. */
const REST_MS = 3 * INTERVAL_MS;
/** The limit of commands per call. Redis executes nothing else during a call. */
const MAX_COMMANDS_PER_CALL = 2_000;
/** A server that watches all clients from the start. Its stream is read after each call. */
const PROBE = "probe";
const EVERYONE = "*";
const GUESTS = "?";
const GUEST = "guest";

/** The data of Redis as a replica has it, and what had been vouched for by then. */
interface Replica {
  dump: Dump;
  expectations: Expectations;
  probed: number;
}

/**
 * The logic on an in-memory Redis, with nothing around it: servers, hosts and other programs are the steps of a schedule.
 * Time passes only where a step says so.
 */
export class LogicWorld {
  readonly trace: Trace;
  readonly #database: Database;
  readonly #connected = new Map<string, Set<string>>(SERVERS.map((server) => [server, new Set()]));
  readonly #followers = new Map<string, Follower>();
  #expectations = new Expectations();
  #nowMs = 0;
  #clockOffsetMs = 0;
  #run = 1;
  #epochs = 0;
  #pending = new Set<string>();
  #fault: CallFault | undefined;
  /** Servers whose connections were lost with the Redis process: each resyncs before it goes on. */
  #disconnected = new Set<string>();
  #replica: Replica | undefined;
  /** Events of the probe's stream that were checked, and the last one. */
  #probed = 0;
  #last: StreamEvent | undefined;

  constructor() {
    this.trace = new Trace(() => this.#nowMs);
    this.#database = new Database({
      nowUs: () => START_US + (this.#nowMs + this.#clockOffsetMs) * 1000,
      info: () => `run_id:${String(this.#run).padStart(40, "0")}`,
      onEvent: (_event, key) => {
        if (key.startsWith(LEASE_KEY_PREFIX)) this.#pending.add(key.slice(LEASE_KEY_PREFIX.length));
      },
    });
    this.#writeDocuments();
    for (const server of FOLLOWING_SERVERS) this.#startServer(server);
    this.#sweep(HOSTS[0]);
  }

  /**
   * @throws {Violation}
   */
  take(step: LogicStep): void {
    switch (step.kind) {
      case "silence":
        this.trace.note("Redis", `no host runs for ${step.durationMs} ms`);
        this.#nowMs += step.durationMs;
        break;
      case "run":
        this.#runHosts(step.durationMs, [step.host]);
        break;
      case "connect":
        this.#connected.get(step.server)?.add(step.client);
        this.#heartbeat(step.server, [step.client], 0);
        break;
      case "disconnect":
        this.#connected.get(step.server)?.delete(step.client);
        break;
      case "heartbeat":
        this.#heartbeat(step.server, [...(this.#connected.get(step.server) ?? [])], 0);
        break;
      case "stray-heartbeat":
        this.#heartbeat(step.server, step.clients, step.ageMs);
        break;
      case "process":
        this.#process();
        break;
      case "sweep":
        this.#sweep(step.host);
        break;
      case "sign-out":
        this.#signOut(step.server, step.client);
        break;
      case "watch":
        this.#watch(step.server, step.client);
        break;
      case "unwatch":
        this.#unwatch(step.server, step.client);
        break;
      case "follow":
        this.#follow(this.#follower(step.server));
        break;
      case "maintain":
        this.#maintain(this.#follower(step.server));
        break;
      default:
        this.#takeFault(step);
    }
    this.#checkProbe();
  }

  /**
   * Lets faults end and time pass, and checks that everything is right: first while servers go on, then in silence.
   *
   * @throws {Violation}
   */
  finish(): void {
    this.#fault = undefined;
    this.trace.note("Redis", "faults end; servers go on");
    for (let passedMs = 0; passedMs < REST_MS; passedMs += TICK_MS) {
      if (passedMs % INTERVAL_MS === 0) this.#beatAll();
      this.#runHosts(TICK_MS, HOSTS);
      this.#notify();
      this.#checkProbe();
    }
    this.#followAll();
    this.#checkAtRest();
    this.trace.note("Redis", "servers fall silent");
    for (let passedMs = 0; passedMs < REST_MS; passedMs += TICK_MS) {
      this.#runHosts(TICK_MS, HOSTS);
      this.#checkProbe();
    }
    this.#followAll();
    this.#checkAllOffline();
  }

  #takeFault(step: LogicStep): void {
    switch (step.kind) {
      case "restart-server":
        this.trace.note(step.server, "restarts");
        this.#connected.get(step.server)?.clear();
        this.#startServer(step.server);
        break;
      case "set-lease":
        this.trace.message("other", "Redis", `SET online.clients.${step.client} other PX ${step.ttlMs}`);
        this.#expectations.touchLease(step.client);
        this.#command("SET", leaseKey(step.client), "other", "PX", String(step.ttlMs));
        break;
      case "delete-lease":
        this.trace.message("other", "Redis", `DEL online.clients.${step.client}`);
        this.#expectations.touchLease(step.client);
        this.#command("DEL", leaseKey(step.client));
        break;
      case "notify":
        this.#notify();
        break;
      case "lose-notifications":
        this.#pending = new Set();
        break;
      case "expire-some":
        this.#database.keyspace.expireSome(20);
        break;
      case "wipe":
        this.#wipe();
        break;
      case "replica-lags":
        this.trace.note("Redis", "the replica stops to follow");
        this.#replica = {
          dump: this.#database.keyspace.dump(),
          expectations: this.#expectations.clone(),
          probed: this.#probed,
        };
        break;
      case "promote-replica":
        this.#promote();
        break;
      case "step-clock":
        this.trace.note("Redis", `the clock is stepped by ${step.byMs} ms`);
        this.#clockOffsetMs += step.byMs;
        break;
      case "break-off-next":
        this.#fault = { kind: "broken-off", atCommand: step.atCommand };
        break;
      case "fail-next":
        this.#fault = { kind: "error", atCommand: step.atCommand, message: "ERR simulated" };
        break;
      default:
        throw new Error(`unknown step ${step.kind}`);
    }
  }

  #writeDocuments(): void {
    for (const client of CLIENTS) {
      if (client === GUEST) continue;
      const contacts = CLIENTS.filter((other) => other !== client && other !== GUEST);
      this.#command("SET", contactKey(client), JSON.stringify({ id: client, contacts }));
    }
    this.#command("SADD", `presence:watchers:${EVERYONE}`, PROBE);
    this.#probed = 0;
  }

  #wipe(): void {
    this.trace.note("Redis", "restarts without its data");
    this.#database.keyspace.clear();
    this.#run += 1;
    this.#disconnected = new Set(FOLLOWING_SERVERS);
    this.#pending = new Set();
    this.#replica = undefined;
    this.#last = undefined;
    this.#expectations = new Expectations();
    this.#writeDocuments();
  }

  #promote(): void {
    if (this.#replica === undefined) return;
    this.trace.note("Redis", "the replica is promoted; what was written since it stopped is lost");
    const { dump, expectations, probed } = this.#replica;
    this.#database.keyspace.restore(dump);
    this.#expectations = expectations.clone();
    this.#probed = probed;
    this.#last = undefined;
    this.#replica = undefined;
    this.#run += 1;
    // The replica may still have what an earlier process with the same id watched.
    for (const follower of this.#followers.values()) follower.mayBeToldAll = true;
    this.#disconnected = new Set(FOLLOWING_SERVERS);
    this.#pending = new Set();
  }

  /** Time passes; the deadline clocks of these hosts tick, and their consumers process what comes. */
  #runHosts(durationMs: number, hosts: readonly string[]): void {
    let leftMs = durationMs;
    for (let tick = 0; leftMs > 0; tick += 1) {
      const passMs = Math.min(TICK_MS, leftMs);
      this.#nowMs += passMs;
      leftMs -= passMs;
      this.#process();
      this.#sweep(hosts[tick % hosts.length] ?? "");
    }
  }

  #process(): void {
    while (this.#call("work", [String(INTERVAL_MS)])?.[0] === "1");
  }

  #sweep(host: string): void {
    for (let calls = 0; calls < 100; calls += 1) {
      const reply = this.#call("sweep", [String(INTERVAL_MS)]);
      const [nowMs, nextMs] = reply ?? [];
      if (reply === undefined || nextMs === "" || Number(nextMs) > Number(nowMs)) return;
    }
    throw new Violation("budget", `sweeps of ${host} find more to do without end`);
  }

  #heartbeat(server: string, clients: readonly string[], ageMs: number): void {
    const atMs = this.#redisMs() - ageMs;
    const fields = clients.flatMap((client) => ["client", client]);
    const id = ageMs === 0 ? "*" : `${atMs}-*`;
    const entryId = this.#command("XADD", HEARTBEAT_KEY, id, "server", server, ...fields);
    // Older than the last entry: Redis refuses it.
    if (typeof entryId !== "string") return;
    this.trace.message(
      server,
      "heartbeat",
      `${clients.join(", ") || "no clients"}${ageMs > 0 ? `, ${ageMs} ms old` : ""}`,
    );
    const writtenMs = this.#nowMs - ageMs;
    for (const client of clients) this.#expectations.vouch(client, server, writtenMs, writtenMs + LEASE_MS);
  }

  #beatAll(): void {
    for (const [server, clients] of this.#connected) if (clients.size > 0) this.#heartbeat(server, [...clients], 0);
  }

  #signOut(server: string, client: string): void {
    this.trace.message(server, "Redis", `${client} signs out`);
    this.#connected.get(server)?.delete(client);
    this.#expectations.signOut(client, server, this.#nowMs);
    this.#call("leave", [String(INTERVAL_MS), server, client]);
  }

  #startServer(server: string): void {
    while (this.#call("forget", [String(INTERVAL_MS), server]) === true);
    const follower = new Follower(server);
    this.#followers.set(server, follower);
    this.#resync(follower);
  }

  #watch(server: string, name: string): void {
    const follower = this.#follower(server);
    follower.watch(name);
    this.trace.message(server, "Redis", `watches ${name}`);
    const reading = this.#read(follower, [name], [...follower.names, name]);
    if (reading === undefined || follower.isOutdatedBy(reading)) this.#resync(follower);
    else follower.learn(reading);
  }

  #unwatch(server: string, name: string): void {
    const follower = this.#follower(server);
    if (!follower.names.has(name)) return;
    follower.unwatch(name, isCovered);
    this.trace.message(server, "Redis", `unwatches ${name}`);
    this.#call("unwatch", [server, name]);
  }

  #follow(follower: Follower): void {
    for (const { id, fields } of this.#entriesOf(follower.server, 0)) {
      if (compareStreamIds(id, follower.cursor) <= 0) continue;
      follower.cursor = id;
      if (!follower.apply(eventOf(fields), isCovered)) continue;
      this.#resync(follower);
      return;
    }
  }

  #maintain(follower: Follower): void {
    const reading = this.#read(follower, [], []);
    if (reading !== undefined && follower.isOutdatedBy(reading)) this.#resync(follower);
  }

  #resync(follower: Follower): void {
    this.trace.message(follower.server, "Redis", "resyncs");
    this.#read(follower, [], []);
    this.#call("join", [String(INTERVAL_MS), follower.server]);
    const reading = this.#read(follower, [...follower.names], [...follower.names]);
    if (reading !== undefined) follower.resync(reading);
  }

  #followAll(): void {
    for (const server of FOLLOWING_SERVERS) {
      const follower = this.#follower(server);
      this.#follow(follower);
      this.#maintain(follower);
      this.#follow(follower);
    }
  }

  #read(follower: Follower, watched: readonly string[], names: readonly string[]): Reading | undefined {
    this.#epochs += 1;
    const clients = CLIENTS.filter((client) => isCovered(client, new Set(names)));
    const reply = this.#call("read", [
      follower.server,
      `epoch${this.#epochs}`,
      String(watched.length),
      ...watched,
      ...clients,
    ]);
    if (!Array.isArray(reply)) return undefined;
    const [, version, epoch = "", sequence, , isKnown, ...records] = reply as string[];
    const statuses = clients.map((client, index) => [client, statusIn(records[index])] as const);
    return {
      version: Number(version),
      epoch,
      sequence: Number(sequence),
      isKnown: isKnown === "1",
      statuses: new Map(statuses),
    };
  }

  #notify(): void {
    const clients = [...this.#pending];
    this.#pending = new Set();
    if (clients.length === 0) return;
    while (this.#call("check", [String(INTERVAL_MS), ...clients]) === true);
    // What the check itself changed is what it announced.
    this.#pending = new Set();
  }

  /** @returns the function's result; `undefined` where it failed or was broken off */
  #call<Name extends FunctionName>(name: Name, args: string[]): ReturnType<(typeof library)[Name]> | undefined {
    const fault = this.#fault;
    this.#fault = undefined;
    const run = library[name] as (keys: string[], args: string[]) => ReturnType<(typeof library)[Name]>;
    try {
      const { result, commandCount } = runInside(this.#database, () => run([], args), fault);
      if (commandCount > MAX_COMMANDS_PER_CALL) {
        throw new Violation("budget", `${name} ran ${commandCount} commands in one call`);
      }
      return result;
    } catch (error) {
      if (fault === undefined || !(error instanceof BrokenOffError || error instanceof ReplyError)) throw error;
      this.trace.note("Redis", `${name} ended early: ${error.message}`);
      return undefined;
    }
  }

  /** A command of a program outside; an error reply is `undefined`. */
  #command(name: string, ...args: string[]): Reply | undefined {
    try {
      return this.#database.run(name, args);
    } catch (error) {
      if (error instanceof ReplyError) return undefined;
      throw error;
    }
  }

  #redisMs(): number {
    return Math.floor(START_US / 1000) + this.#nowMs + this.#clockOffsetMs;
  }

  /** A server that has not said what it watches is told by its clients' contact lists. */
  #isExternal(server: string): boolean {
    return this.#command("SISMEMBER", "presence:plain-servers", server) === 1;
  }

  /** The follower of a server, with a connection to Redis. */
  #follower(server: string): Follower {
    const follower = this.#followers.get(server);
    if (follower === undefined) throw new Error(`${server} follows no stream`);
    if (this.#disconnected.delete(server)) this.#resync(follower);
    return follower;
  }

  /** The entries of a server's stream from the one at `start` on. */
  #entriesOf(server: string, start: number): readonly StreamEntry[] {
    const key = downstreamKey(server);
    const { keyspace } = this.#database;
    const stream = keyspace.typeOf(key) === "stream" ? keyspace.get("stream", key) : undefined;
    return stream === undefined ? [] : stream.entries.slice(start);
  }

  /** Checks the events published since the last check, also those about unwatched clients. */
  #checkProbe(): void {
    for (const follower of this.#followers.values()) {
      if (this.#isExternal(follower.server)) follower.mayBeToldAll = true;
    }
    for (const { fields } of this.#entriesOf(PROBE, this.#probed)) {
      this.#probed += 1;
      const event = eventOf(fields);
      this.trace.message("Redis", "viewers", `${event.client} ${event.status} (${event.reason})`);
      if (event.status === "OFFLINE") this.#expectations.checkOffline(event.client, event.reason, this.#nowMs);
      if (event.epoch === this.#last?.epoch && event.version <= this.#last.version) {
        throw new Violation("order", `version ${event.version} follows ${this.#last.version}`);
      }
      this.#last = event;
    }
  }

  #checkAtRest(): void {
    for (const client of CLIENTS) {
      const isLeased = this.#command("EXISTS", leaseKey(client)) === 1;
      const announced = this.#announced(client);
      if ((announced === "ONLINE") !== isLeased) {
        throw new Violation("truth-at-rest", `${client} is announced as ${announced}, its lease exists: ${isLeased}`);
      }
      for (const follower of this.#followers.values()) this.#checkPicture(follower, client, announced);
    }
  }

  #checkPicture(follower: Follower, client: string, announced: string): void {
    if (!isCovered(client, follower.names) || follower.statusOf(client) === announced) return;
    throw new Violation(
      "picture-at-rest",
      `${follower.server} shows ${client} as ${follower.statusOf(client)}, and it is ${announced}`,
    );
  }

  #checkAllOffline(): void {
    for (const client of CLIENTS) {
      if (this.#announced(client) === "ONLINE") {
        throw new Violation("late-offline", `${client} is still ONLINE ${REST_MS} ms after its last heartbeat`);
      }
    }
    this.#checkAtRest();
    const left = this.#database.keyspace
      .keys()
      .filter((key) =>
        /^(online\.clients\.|presence:(deadlines|batch-of|batches:|changed-batches:|homes:|guests))/.test(key),
      );
    if (left.length > 0) throw new Violation("leftovers", `left behind: ${left.join(", ")}`);
  }

  #announced(client: string): string {
    const record = this.#command("HGET", "presence:records", client);
    return statusIn(typeof record === "string" ? record : "");
  }
}

function statusIn(record: string | undefined): string {
  return record?.startsWith("ONLINE") === true ? "ONLINE" : "OFFLINE";
}

function isCovered(client: string, names: ReadonlySet<string>): boolean {
  return names.has(client) || names.has(EVERYONE) || (client === GUEST && names.has(GUESTS));
}

function eventOf(fields: readonly string[]): StreamEvent {
  const values = new Map<string, string>();
  for (let index = 0; index + 1 < fields.length; index += 2) values.set(fields[index] ?? "", fields[index + 1] ?? "");
  return {
    client: values.get("client") ?? "",
    status: values.get("status") ?? "",
    reason: values.get("reason") ?? "",
    version: Number(values.get("version")),
    sequence: Number(values.get("sequence")),
    epoch: values.get("epoch") ?? "",
  };
}
