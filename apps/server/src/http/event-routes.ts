import type { OutgoingHttpHeaders } from "node:http";
import {
  createProblem,
  MAX_CHANNELS,
  type MultiplexRequest,
  type PingRequest,
  type StreamRequest,
} from "@presence/protocol";
import { type Request, type Response, Router } from "express";
import { z } from "zod";
import type { Directory } from "../contacts/directory.ts";
import type { Subscription } from "../push/connection.ts";
import { MultiplexedSink } from "../push/multiplexed-sink.ts";
import type { PingWatchdog } from "../push/ping-watchdog.ts";
import type { OpenRequest, PushHub } from "../push/push-hub.ts";
import { StreamSink } from "../push/stream-sink.ts";
import type { Session, Sessions } from "../sessions/sessions.ts";
import { addressOf } from "./address.ts";
import type { Admission } from "./admission.ts";
import { authenticateLeniently, authenticateStream } from "./authentication.ts";
import { requireClientId } from "./client-id.ts";
import { asHttpProblem, HttpProblem, onlyAllows, plainProblem } from "./http-problem.ts";
import { parseBody, readJson } from "./json-body.ts";
import { requireAccepts } from "./negotiation.ts";

const EVENT_STREAM = "text/event-stream";
const MAX_PING_BYTES = 256;
/** Enough for `MAX_CHANNELS` streams with a large token each. */
const MAX_MULTIPLEX_BYTES = MAX_CHANNELS * 4096;
/** A browser generates the id at random. At least 16 characters make it hard to guess. */
const PING_ID = /^[A-Za-z0-9._~-]{16,64}$/;

const multiplexRequest: z.ZodType<MultiplexRequest> = z.strictObject({
  streams: z
    .array(z.strictObject({ token: z.string(), lastEventId: z.string().exactOptional() }))
    .min(1)
    .max(MAX_CHANNELS),
});
const pingRequest: z.ZodType<PingRequest> = z.strictObject({ connection: z.string() });

export interface EventRouteDependencies {
  sessions: Sessions;
  directory: Directory;
  hub: PushHub;
  admission: Admission;
}

/** SSE streams (one, or several multiplexed in one response) and the pings that keep their connections alive. */
export function eventRoutes(dependencies: EventRouteDependencies): Router {
  const { sessions, hub, admission } = dependencies;
  const router = Router();
  router
    .route("/api/events")
    .get(async (request, response) => {
      requireAccepts(request, EVENT_STREAM);
      const pingId = pingIdOf(request);
      const cleanup = Cleanup.of(response);
      cleanup.add(admission.admitResponse(addressOf(request)));
      const session = await authenticateStream(request, sessions);
      await openStream(dependencies, { request, response, cleanup, session, pingId });
    })
    .post(...readJson(MAX_MULTIPLEX_BYTES), async (request, response) => {
      requireAccepts(request, EVENT_STREAM);
      const pingId = pingIdOf(request);
      const { streams } = parseBody(multiplexRequest, request.body);
      const cleanup = Cleanup.of(response);
      cleanup.add(admission.admitResponse(addressOf(request)));
      await openStreams(dependencies, { response, cleanup, streams, pingId });
    })
    .all(onlyAllows("GET", "HEAD", "POST"));
  router
    .route("/api/events/pings")
    .post(...readJson(MAX_PING_BYTES), async (request, response) => {
      const { connection } = parseBody(pingRequest, request.body);
      // A ping must also count while Redis is down, or the server would close the streams of live browsers.
      const { client } = await authenticateLeniently(request, sessions);
      if (!hub.watchdogs.ping(connection, client)) {
        throw new HttpProblem(createProblem("urn:presence:problem:connection-unknown"));
      }
      response.status(204).end();
    })
    .all(onlyAllows("POST"));
  return router;
}

/** `GET /events/{id}` (demo mode only): the same stream without a token, for `curl`. */
export function terminalEventRoutes({ directory, hub, admission }: Omit<EventRouteDependencies, "sessions">): Router {
  const router = Router();
  router
    .route("/events/:id")
    .get(async (request, response) => {
      requireAccepts(request, EVENT_STREAM);
      const client = requireClientId(rawLastSegment(request));
      const cleanup = Cleanup.of(response);
      cleanup.add(admission.admitResponse(addressOf(request)));
      const list = await directory.contactListOf(client);
      cleanup.add(admission.admitStream(list.owner));
      startStream(request, response, hub, () => {
        hub.open({ client: list.owner, list }, openSink(response, hub, cleanup), request.get("last-event-id"));
      });
    })
    .all(onlyAllows("GET", "HEAD"));
  return router;
}

interface StreamOpening {
  request: Request;
  response: Response;
  cleanup: Cleanup;
  session: Session;
  pingId: string | undefined;
}

async function openStream(
  { directory, hub, admission }: EventRouteDependencies,
  { request, response, cleanup, session, pingId }: StreamOpening,
): Promise<void> {
  const list = await directory.contactListOf(session.client);
  cleanup.add(admission.admitStream(list.owner));
  startStream(request, response, hub, () => {
    const watchdog = openWatchdog(hub, cleanup, pingId);
    const sink = openSink(response, hub, cleanup);
    hub.open(subscriptionOf(session, list, watchdog), sink, request.get("last-event-id"));
  });
}

interface MultiplexOpening {
  response: Response;
  cleanup: Cleanup;
  streams: readonly StreamRequest[];
  pingId: string | undefined;
}

async function openStreams(
  { sessions, directory, hub, admission }: EventRouteDependencies,
  { response, cleanup, streams, pingId }: MultiplexOpening,
): Promise<void> {
  const verified = await Promise.all(
    streams.map(async ({ token }) => {
      try {
        const session = await sessions.verify(token);
        const list = await directory.contactListOf(session.client);
        cleanup.add(admission.admitStream(list.owner));
        return { session, list };
      } catch (error) {
        return { refusal: toHttpProblem(error, hub.heartbeatIntervalMs) };
      }
    }),
  );
  throwIfAllRefusedTemporarily(verified);
  hub.requireReady();
  if (response.destroyed) return;
  const watchdog = openWatchdog(hub, cleanup, pingId);
  const multiplexed = new MultiplexedSink(openSink(response, hub, cleanup));
  const requests: OpenRequest[] = [];
  verified.forEach((stream, index) => {
    if ("refusal" in stream) multiplexed.refuse(index, stream.refusal.problem);
    else {
      const subscription = subscriptionOf(stream.session, stream.list, watchdog);
      requests.push({ subscription, sink: multiplexed.addChannel(index), lastEventId: streams[index]?.lastEventId });
    }
  });
  hub.openAll(requests);
  multiplexed.endIfEmpty();
}

/** If every stream is refused for a temporary reason, answers with that error and its `Retry-After`. */
function throwIfAllRefusedTemporarily(streams: readonly ({ refusal: HttpProblem } | object)[]): void {
  const refusals = streams.flatMap((stream) => ("refusal" in stream ? [stream.refusal] : []));
  const areAllTemporary = refusals.every(({ headers }) => headers["Retry-After"] !== undefined);
  if (refusals.length === streams.length && areAllTemporary) throw refusals[0];
}

/**
 * Functions to call when a response has ended.
 *
 * It does not refer to the response: a stream keeps only the socket, so that the response can be garbage-collected.
 */
class Cleanup {
  #releases: readonly (() => void)[] | undefined = [];

  static of(response: Response): Cleanup {
    const cleanup = new Cleanup();
    response.once("close", () => cleanup.run());
    return cleanup;
  }

  add(release: () => void): void {
    // The response may end while its request is still being authenticated.
    if (this.#releases) this.#releases = this.#releases.concat(release);
    else release();
  }

  run(): void {
    for (const release of this.#releases ?? []) release();
    this.#releases = undefined;
  }
}

function openSink(response: Response, hub: PushHub, cleanup: Cleanup): StreamSink {
  const sink = StreamSink.open(response, streamHeaders(hub));
  sink.onClose(() => cleanup.run());
  return sink;
}

function subscriptionOf(
  session: Session,
  list: Subscription["list"],
  watchdog: PingWatchdog | undefined,
): Subscription {
  const { key, expiresAt } = session;
  const { owner: client } = list;
  watchdog?.clients.add(client);
  return { client, list, sessionKey: key, expiresAt, ...(watchdog && { watchdog }) };
}

function openWatchdog(hub: PushHub, cleanup: Cleanup, pingId: string | undefined): PingWatchdog | undefined {
  if (pingId === undefined) return undefined;
  const watchdog = hub.watchdogs.add(pingId);
  cleanup.add(() => hub.watchdogs.remove(watchdog));
  return watchdog;
}

/** Calls `open`, unless the request is a `HEAD` or the client has disconnected meanwhile. */
function startStream(request: Request, response: Response, hub: PushHub, open: () => void): void {
  hub.requireReady();
  if (response.destroyed) return;
  if (request.method === "HEAD") response.writeHead(200, streamHeaders(hub)).end();
  else open();
}

function streamHeaders(hub: PushHub): OutgoingHttpHeaders {
  return {
    "Content-Type": EVENT_STREAM,
    "Cache-Control": "no-store, no-transform",
    // The stream takes the socket over from Node's HTTP server, so no further request can use it.
    Connection: "close",
    "X-Accel-Buffering": "no",
    "Presence-Heartbeat-Interval": String(hub.heartbeatIntervalMs),
  };
}

function pingIdOf(request: Request): string | undefined {
  const pingId = request.query["connection"];
  if (pingId === undefined) return undefined;
  if (typeof pingId === "string" && PING_ID.test(pingId)) return pingId;
  throw plainProblem(400, "?connection= must be 16 to 64 random characters out of A–Z a–z 0–9 . _ ~ -");
}

/** The last path segment without percent-decoding: a valid id never needs encoding, so an encoded one is invalid. */
function rawLastSegment(request: Request): string {
  return request.path.slice(request.path.lastIndexOf("/") + 1);
}

function toHttpProblem(error: unknown, heartbeatIntervalMs: number): HttpProblem {
  const problem = asHttpProblem(error, heartbeatIntervalMs);
  if (!problem) throw error;
  return problem;
}
