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
import type { Liveness } from "../push/liveness.ts";
import { MultiplexedSink } from "../push/multiplexed-sink.ts";
import type { Opening, PushHub } from "../push/push-hub.ts";
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
/** Room for as many streams as one request may ask for, each with a large token. */
const MAX_MULTIPLEX_BYTES = MAX_CHANNELS * 4096;
/** Chosen by browsers at random: short enough for a log line, too long to guess. */
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

/** The SSE stream, alone or several over one response, and the pings that prove its browser lives. */
export function eventRoutes(dependencies: EventRouteDependencies): Router {
  const { sessions, hub, admission } = dependencies;
  const router = Router();
  router
    .route("/api/events")
    .get(async (request, response) => {
      requireAccepts(request, EVENT_STREAM);
      const pingId = pingIdOf(request);
      const holds = Holds.of(response);
      holds.add(admission.admitResponse(addressOf(request)));
      const session = await authenticateStream(request, sessions);
      await openStream(dependencies, { request, response, holds, session, pingId });
    })
    .post(...readJson(MAX_MULTIPLEX_BYTES), async (request, response) => {
      requireAccepts(request, EVENT_STREAM);
      const pingId = pingIdOf(request);
      const { streams } = parseBody(multiplexRequest, request.body);
      const holds = Holds.of(response);
      holds.add(admission.admitResponse(addressOf(request)));
      await openStreams(dependencies, { response, holds, streams, pingId });
    })
    .all(onlyAllows("GET", "HEAD", "POST"));
  router
    .route("/api/events/pings")
    .post(...readJson(MAX_PING_BYTES), async (request, response) => {
      const { connection } = parseBody(pingRequest, request.body);
      // Who is still there is still there, and keeps their stream, while Redis is away.
      const { client } = await authenticateLeniently(request, sessions);
      if (!hub.ping(connection, client)) {
        throw new HttpProblem(createProblem("urn:presence:problem:connection-unknown"));
      }
      response.status(204).end();
    })
    .all(onlyAllows("POST"));
  return router;
}

/** Demo mode only: the same stream for a terminal, without a token. */
export function terminalEventRoutes({ directory, hub, admission }: Omit<EventRouteDependencies, "sessions">): Router {
  const router = Router();
  router
    .route("/events/:id")
    .get(async (request, response) => {
      requireAccepts(request, EVENT_STREAM);
      const client = requireClientId(rawLastSegment(request));
      const holds = Holds.of(response);
      holds.add(admission.admitResponse(addressOf(request)));
      const list = await directory.contactListOf(client);
      holds.add(admission.admitStream(list.owner));
      startStream(request, response, hub, () => {
        hub.open({ client: list.owner, list }, openSink(response, hub, holds), request.get("last-event-id"));
      });
    })
    .all(onlyAllows("GET", "HEAD"));
  return router;
}

interface StreamOpening {
  request: Request;
  response: Response;
  holds: Holds;
  session: Session;
  pingId: string | undefined;
}

async function openStream(
  { directory, hub, admission }: EventRouteDependencies,
  { request, response, holds, session, pingId }: StreamOpening,
): Promise<void> {
  const list = await directory.contactListOf(session.client);
  holds.add(admission.admitStream(list.owner));
  startStream(request, response, hub, () => {
    const liveness = livenessOf(hub, holds, pingId);
    const sink = openSink(response, hub, holds);
    hub.open(subscriptionOf(session, list, liveness), sink, request.get("last-event-id"));
  });
}

interface MultiplexOpening {
  response: Response;
  holds: Holds;
  streams: readonly StreamRequest[];
  pingId: string | undefined;
}

async function openStreams(
  { sessions, directory, hub, admission }: EventRouteDependencies,
  { response, holds, streams, pingId }: MultiplexOpening,
): Promise<void> {
  const verified = await Promise.all(
    streams.map(async ({ token }) => {
      try {
        const session = await sessions.verify(token);
        const list = await directory.contactListOf(session.client);
        holds.add(admission.admitStream(list.owner));
        return { session, list };
      } catch (error) {
        return { refusal: foreseen(error) };
      }
    }),
  );
  refuseIfNoneForNow(verified);
  hub.requireReady();
  if (response.destroyed) return;
  const liveness = livenessOf(hub, holds, pingId);
  const multiplexed = new MultiplexedSink(openSink(response, hub, holds));
  const openings: Opening[] = [];
  verified.forEach((stream, index) => {
    if ("refusal" in stream) multiplexed.refuse(index, stream.refusal.problem);
    else {
      const subscription = subscriptionOf(stream.session, stream.list, liveness);
      openings.push({ subscription, sink: multiplexed.addChannel(index), lastEventId: streams[index]?.lastEventId });
    }
  });
  hub.openAll(openings);
  multiplexed.endIfEmpty();
}

/** Where no stream can be had at the moment, the answer is that of a single stream: it says when to come back. */
function refuseIfNoneForNow(streams: readonly ({ refusal: HttpProblem } | object)[]): void {
  const refusals = streams.flatMap((stream) => ("refusal" in stream ? [stream.refusal] : []));
  const areAllForNow = refusals.every(({ headers }) => headers["Retry-After"] !== undefined);
  if (refusals.length === streams.length && areAllForNow) throw refusals[0];
}

/** What is to be given back when a response is over. It doesn't know the response, which a stream outlives. */
class Holds {
  #releases: readonly (() => void)[] | undefined = [];

  static of(response: Response): Holds {
    const holds = new Holds();
    response.once("close", () => holds.giveBack());
    return holds;
  }

  add(release: () => void): void {
    // It may be over before all that it is counted for is known.
    if (this.#releases) this.#releases = this.#releases.concat(release);
    else release();
  }

  giveBack(): void {
    for (const release of this.#releases ?? []) release();
    this.#releases = undefined;
  }
}

function openSink(response: Response, hub: PushHub, holds: Holds): StreamSink {
  const sink = StreamSink.open(response, streamHeaders(hub));
  sink.onClose(() => holds.giveBack());
  return sink;
}

function subscriptionOf(session: Session, list: Subscription["list"], liveness: Liveness | undefined): Subscription {
  const { key, expiresAt } = session;
  const { owner: client } = list;
  liveness?.clients.add(client);
  return { client, list, sessionKey: key, expiresAt, ...(liveness && { liveness }) };
}

function livenessOf(hub: PushHub, holds: Holds, pingId: string | undefined): Liveness | undefined {
  if (pingId === undefined) return undefined;
  const liveness = hub.expectPings(pingId);
  holds.add(() => hub.stopExpectingPings(liveness));
  return liveness;
}

/** Answers a `HEAD` with the head alone, and opens nothing for who has left meanwhile. */
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
    // Its socket is taken from HTTP, and nothing else can come over it.
    Connection: "close",
    "X-Accel-Buffering": "no",
    "Presence-Heartbeat-Interval": String(hub.heartbeatIntervalMs),
  };
}

function pingIdOf(request: Request): string | undefined {
  const pingId = request.query["connection"];
  if (pingId === undefined) return undefined;
  if (typeof pingId === "string" && PING_ID.test(pingId)) return pingId;
  throw plainProblem(400, "?connection= takes 16 to 64 characters out of A–Z a–z 0–9 . _ ~ -, chosen at random.");
}

/** As it was sent: a legal id never needs percent-encoding, so an encoded one is none. */
function rawLastSegment(request: Request): string {
  return request.path.slice(request.path.lastIndexOf("/") + 1);
}

function foreseen(error: unknown): HttpProblem {
  const problem = asHttpProblem(error);
  if (!problem) throw error;
  return problem;
}
