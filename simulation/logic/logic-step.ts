import fc from "fast-check";

/** `d` of the simulated platform, in ms. */
export const INTERVAL_MS = 1000;

/** The last one has no contact document: it is a guest. */
export const CLIENTS = ["anouk", "magali", "omar", "guest"] as const;
/** The last one only sends heartbeats: it never says what it watches. */
export const SERVERS = ["s1", "s2", "external"] as const;
/** Servers that follow their streams. */
export const FOLLOWING_SERVERS = ["s1", "s2"] as const;
export const HOSTS = ["host-1", "host-2"] as const;

const HOUR_MS = 3_600_000;

type Client = (typeof CLIENTS)[number];
type Server = (typeof SERVERS)[number];
type FollowingServer = (typeof FOLLOWING_SERVERS)[number];
type Host = (typeof HOSTS)[number];

/** One thing that happens in a schedule of the logic. All that is random about it is in here: a step can be repeated. */
export type LogicStep =
  /** time passes, and no trigger host runs */
  | { kind: "silence"; durationMs: number }
  /** time passes, and a host's deadline clock ticks */
  | { kind: "run"; durationMs: number; host: Host }
  | { kind: "connect"; server: Server; client: Client }
  | { kind: "disconnect"; server: Server; client: Client }
  /** the server names its connected clients, as it does once an interval */
  | { kind: "heartbeat"; server: Server }
  /** an entry that was written `ageMs` ago by the server's clock, and arrives now */
  | { kind: "stray-heartbeat"; server: Server; clients: Client[]; ageMs: number }
  | { kind: "process" }
  | { kind: "sweep"; host: Host }
  | { kind: "sign-out"; server: Server; client: Client }
  | { kind: "watch"; server: FollowingServer; client: Client | "*" | "?" }
  | { kind: "unwatch"; server: FollowingServer; client: Client | "*" | "?" }
  /** the server reads what is on its stream */
  | { kind: "follow"; server: FollowingServer }
  /** what a server does once an interval: it asks whether Redis still knows it */
  | { kind: "maintain"; server: FollowingServer }
  | { kind: "restart-server"; server: FollowingServer }
  /** another program sets or deletes a lease */
  | { kind: "set-lease"; client: Client; ttlMs: number }
  | { kind: "delete-lease"; client: Client }
  /** notifications that are pending reach the hosts, or are lost */
  | { kind: "notify" }
  | { kind: "lose-notifications" }
  /** Redis's active expiry cycle */
  | { kind: "expire-some" }
  /** Redis restarts without its data */
  | { kind: "wipe" }
  /** a replica stops to follow; if it is promoted later, what was written since is lost */
  | { kind: "replica-lags" }
  | { kind: "promote-replica" }
  /** Redis's clock is stepped */
  | { kind: "step-clock"; byMs: number }
  /** the next call is stopped, or fails, at its nth command */
  | { kind: "break-off-next"; atCommand: number }
  | { kind: "fail-next"; atCommand: number };

/** Which faults a schedule may hold beside what happens every day. */
export interface LogicFaults {
  /** outages, restarts, failovers, lost notifications, hosts that see Redis differently */
  redis: boolean;
  /** Redis's clock is stepped, forward or back */
  clockSteps: boolean;
  /** calls that are broken off, or fail half-way */
  brokenCalls: boolean;
}

const client = fc.constantFrom(...CLIENTS);
const server = fc.constantFrom(...SERVERS);
const followingServer = fc.constantFrom(...FOLLOWING_SERVERS);
const host = fc.constantFrom(...HOSTS);
const watched = fc.oneof({ weight: 4, arbitrary: client }, fc.constantFrom("*" as const, "?" as const));
const atCommand = fc.integer({ min: 1, max: 40 });

function weighted(weight: number, arbitrary: fc.Arbitrary<LogicStep>) {
  return { weight, arbitrary };
}

function everydaySteps(hosts: fc.Arbitrary<Host>) {
  return [
    weighted(6, fc.record({ kind: fc.constant("run"), durationMs: fc.integer({ min: 1, max: 1_200 }), host: hosts })),
    weighted(6, fc.record({ kind: fc.constant("connect"), server, client })),
    weighted(2, fc.record({ kind: fc.constant("disconnect"), server, client })),
    weighted(8, fc.record({ kind: fc.constant("heartbeat"), server })),
    weighted(
      3,
      fc.record({
        kind: fc.constant("stray-heartbeat"),
        server,
        clients: fc.array(client, { maxLength: 5 }),
        ageMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2_000 })),
      }),
    ),
    weighted(4, fc.record({ kind: fc.constant("process") })),
    weighted(2, fc.record({ kind: fc.constant("sweep"), host: hosts })),
    weighted(3, fc.record({ kind: fc.constant("sign-out"), server, client })),
    weighted(3, fc.record({ kind: fc.constant("watch"), server: followingServer, client: watched })),
    weighted(1, fc.record({ kind: fc.constant("unwatch"), server: followingServer, client: watched })),
    weighted(3, fc.record({ kind: fc.constant("follow"), server: followingServer })),
    weighted(2, fc.record({ kind: fc.constant("maintain"), server: followingServer })),
    weighted(1, fc.record({ kind: fc.constant("restart-server"), server: followingServer })),
    weighted(1, fc.record({ kind: fc.constant("set-lease"), client, ttlMs: fc.integer({ min: 1, max: 2_000 }) })),
    weighted(1, fc.record({ kind: fc.constant("delete-lease"), client })),
    weighted(3, fc.record({ kind: fc.constant("notify") })),
    weighted(1, fc.record({ kind: fc.constant("expire-some") })),
  ];
}

const REDIS_FAULTS = [
  weighted(2, fc.record({ kind: fc.constant("silence"), durationMs: fc.integer({ min: 1, max: 4_000 }) })),
  weighted(1, fc.record({ kind: fc.constant("lose-notifications") })),
  weighted(1, fc.record({ kind: fc.constant("wipe") })),
  weighted(1, fc.record({ kind: fc.constant("replica-lags") })),
  weighted(1, fc.record({ kind: fc.constant("promote-replica") })),
];

const CLOCK_STEPS = [
  weighted(1, fc.record({ kind: fc.constant("step-clock"), byMs: fc.constantFrom(-HOUR_MS, -700, 700, HOUR_MS) })),
];

const BROKEN_CALLS = [
  weighted(2, fc.record({ kind: fc.constant("break-off-next"), atCommand })),
  weighted(2, fc.record({ kind: fc.constant("fail-next"), atCommand })),
];

/** Schedules of the logic: what happens, in its order. */
export function logicSchedule({ redis, clockSteps, brokenCalls }: LogicFaults): fc.Arbitrary<LogicStep[]> {
  const steps = [
    ...everydaySteps(redis ? host : fc.constant(HOSTS[0])),
    ...(redis ? REDIS_FAULTS : []),
    ...(clockSteps ? CLOCK_STEPS : []),
    ...(brokenCalls ? BROKEN_CALLS : []),
  ];
  return fc.array(fc.oneof(...steps), { minLength: 1, maxLength: 60, size: "max" });
}
