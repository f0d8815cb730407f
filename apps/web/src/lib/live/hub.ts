/** Manages this browser's tabs and their clients, with each client's session, stream position and snapshot. */
import { type ClientId, MAX_CHANNELS, maxBackOffMs, type Presence, type Problem } from "@presence/protocol";
import { createSession, deleteSession } from "../api/api.ts";
import { isServerFull, ProblemError } from "../api/problem-error.ts";
import type { ChannelMessage } from "./demultiplexer.ts";
import { DEFAULT_HEARTBEAT_INTERVAL_MS, type EventStream, type StreamSubscription } from "./event-stream.ts";
import { type Link, startLink } from "./link.ts";
import { type LinkView, viewWithoutStream } from "./link-view.ts";
import { createNetwork } from "./network.ts";
import { isUpdate, missedChanges, toSnapshot } from "./snapshot.ts";
import type { ClientPhase, Credential, ObservedChange, Resumption, TabMessage, WorkerMessage } from "./tab-protocol.ts";
import { watchLock } from "./web-lock.ts";

interface Tab {
  post(message: WorkerMessage): void;
  client: Client | undefined;
  /** Stops waiting for the lock of its page. */
  stopWatching: AbortController;
  /** The last link view sent to it, as JSON. Equal views aren't sent again. */
  lastLinkView: string;
}

interface Client {
  id: ClientId;
  credential: Credential;
  phase: ClientPhase;
  token: string | undefined;
  sessionCreatedAtMs: number;
  /** The session replaces one that the server refused, and has received no snapshot yet. */
  isRetriedSession: boolean;
  lastEventId: string | undefined;
  snapshot: Map<ClientId, Presence> | undefined;
  /** Changes to send to the tabs at the end of the current task. */
  pending: ObservedChange[];
  /** Since when the statuses are current, ms since the epoch; `undefined` without a stream and while it is stale. */
  liveSinceMs: number | undefined;
  /** Until when the statuses were right, ms since the epoch, if the stream says that they may be out of date. */
  staleSinceMs: number | undefined;
  /** The id of the connection that carries this client; `undefined` without a stream. */
  connection: string | undefined;
  /** The last period without current statuses, in ms since the epoch. `toMs` is `undefined` while it lasts. */
  gap: { fromMs: number; toMs: number | undefined } | undefined;
  tabs: Set<Tab>;
}

export interface Hub {
  /** Adds the tab at the other end of `port`. */
  addPort(port: MessagePort): void;
}

/** If the server refuses a renewed session this soon, the client isn't retried. */
const SESSION_MIN_AGE_MS = 5000;
/** The longest wait before reopening a channel that the server ended alone, for example because its reader was too slow. */
const ENDED_CHANNEL_DELAY_MS = 1000;
/** The wait before reopening a channel after reaching a connection limit. */
const FULL_CHANNEL_DELAY_MS = 5000;

export function startHub(): Hub {
  const clients = new Map<ClientId, Client>();
  const tabs = new Set<Tab>();
  const network = createNetwork((path, init) => fetch(path, init));
  let isOnline = true;

  const link: Link = startLink({
    network,
    isNeeded: () => activeClients().length > 0,
    prepareSubscriptions,
    tokenOf: (ids) => activeClients().find(({ id, token }) => ids.has(id) && token !== undefined)?.token,
    isStale: () => activeClients().some(({ staleSinceMs }) => staleSinceMs !== undefined),
    onMessage: receive,
    onChange: broadcastLinkViews,
  });

  function activeClients(): Client[] {
    return [...clients.values()].filter(({ phase }) => phase.kind === "active");
  }

  async function prepareSubscriptions(): Promise<StreamSubscription[]> {
    await Promise.all(activeClients().map(ensureSession));
    return activeClients().flatMap(({ id: client, token, lastEventId }) => {
      if (token === undefined) return [];
      return lastEventId === undefined ? [{ client, token }] : [{ client, token, lastEventId }];
    });
  }

  async function ensureSession(client: Client): Promise<void> {
    if (client.token !== undefined) return;
    if (client.credential.kind === "token") {
      setToken(client, client.credential.token);
      return;
    }
    try {
      const { token } = await createSession(network.send, client.id);
      setToken(client, token);
    } catch (error) {
      const isFinal = error instanceof ProblemError && error.problem.status >= 400 && error.problem.status < 500;
      if (!isFinal || isServerFull(error.problem)) throw error;
      setPhase(client, { kind: "refused", problem: error.problem });
    }
  }

  function setToken(client: Client, token: string | undefined): void {
    client.token = token;
    client.sessionCreatedAtMs = Date.now();
    broadcast(client, { kind: "session", token });
  }

  function setPhase(client: Client, phase: Client["phase"]): void {
    client.phase = phase;
    if (phase.kind !== "active") {
      setToken(client, undefined);
      client.lastEventId = undefined;
    }
    broadcastLinkViews();
    link.refresh();
  }

  function receive(subscription: StreamSubscription, message: ChannelMessage): void {
    const client = clients.get(subscription.client);
    if (client?.phase.kind !== "active") return;
    if (message.id !== undefined) client.lastEventId = message.id;
    switch (message.kind) {
      case "snapshot":
        receiveSnapshot(client, message.snapshot.contacts);
        break;
      case "presence":
        receivePresence(client, message.presence);
        break;
      case "stale":
        setStale(client, message.atMs);
        broadcastLinkViews();
        break;
      case "end":
        broadcastLinkViews();
        // Ignore the end of a session that has been replaced.
        if (subscription.token === client.token) receiveEnd(client, message.problem);
        break;
    }
  }

  function receiveSnapshot(client: Client, contacts: Presence[]): void {
    const missed = client.snapshot === undefined ? [] : missedChanges(client.snapshot, contacts);
    client.snapshot = toSnapshot(contacts);
    client.pending = [];
    client.isRetriedSession = false;
    setStale(client, undefined);
    broadcast(client, { kind: "snapshot", contacts, missed: toMissed(missed) });
    broadcastLinkViews();
  }

  function receivePresence(client: Client, presence: Presence): void {
    if (client.snapshot === undefined || !isUpdate(client.snapshot.get(presence.client), presence)) return;
    client.snapshot.set(presence.client, presence);
    if (client.pending.length === 0) queueMicrotask(() => flush(client));
    client.pending.push({ ...presence, seenAtMs: Date.now(), missed: isWithin(client.gap, presence.since) });
  }

  function flush(client: Client): void {
    if (client.pending.length > 0) broadcast(client, { kind: "changes", changes: client.pending });
    client.pending = [];
  }

  function receiveEnd(client: Client, problem: Problem): void {
    if (problem.status !== 401) {
      link.refresh(isServerFull(problem) ? FULL_CHANNEL_DELAY_MS : endedChannelDelayMs());
      return;
    }
    const isRefusedAgain = client.isRetriedSession && Date.now() - client.sessionCreatedAtMs < SESSION_MIN_AGE_MS;
    if (problem.type === "urn:presence:problem:signed-out") setPhase(client, { kind: "signed-out" });
    else if (client.credential.kind === "token" || isRefusedAgain) setPhase(client, { kind: "refused", problem });
    else {
      client.isRetriedSession = true;
      setToken(client, undefined);
      link.refresh();
    }
  }

  /** A client that reconnects must be back within the platform's hold, which lasts 1.25 heartbeat intervals. */
  function endedChannelDelayMs(): number {
    const { heartbeatIntervalMs = DEFAULT_HEARTBEAT_INTERVAL_MS } = link.stream() ?? {};
    return Math.min(ENDED_CHANNEL_DELAY_MS, maxBackOffMs(heartbeatIntervalMs));
  }

  function viewOf(client: Client): LinkView {
    if (client.phase.kind !== "active") return client.phase;
    if (client.staleSinceMs !== undefined && client.snapshot !== undefined) {
      return { kind: "stale", asOfMs: client.staleSinceMs };
    }
    if (client.liveSinceMs !== undefined && client.snapshot !== undefined) {
      return { kind: "live", sinceMs: client.liveSinceMs };
    }
    return viewWithoutStream(link.state(), { isOnline, hasSnapshot: client.snapshot !== undefined });
  }

  /** Sends the link view to each tab for which it has changed. */
  function broadcastLinkViews(): void {
    for (const client of clients.values()) {
      updateStream(client, link.stream());
      const view = viewOf(client);
      for (const tab of client.tabs) sendLinkView(tab, view, client);
    }
  }

  /** Updates `connection`, `liveSinceMs` and `gap` when a stream begins or stops to carry the client. */
  function updateStream(client: Client, stream: EventStream | undefined): void {
    const connection = stream?.clients.has(client.id) === true ? stream.connection : undefined;
    if (connection === client.connection) return;
    client.connection = connection;
    // A stream that resumes without a snapshot is up to date.
    const staleSinceMs = client.staleSinceMs;
    client.staleSinceMs = undefined;
    setCurrent(client, connection !== undefined, staleSinceMs ?? link.lastHeardAtMs());
  }

  /** @param sinceMs until when the statuses were right; `undefined` if they are right now */
  function setStale(client: Client, sinceMs: number | undefined): void {
    if (client.staleSinceMs === sinceMs) return;
    client.staleSinceMs = sinceMs;
    setCurrent(client, sinceMs === undefined, sinceMs);
  }

  /** @param untilMs until when the statuses were right, if they are not right now */
  function setCurrent(client: Client, isCurrent: boolean, untilMs: number | undefined): void {
    if (isCurrent === (client.liveSinceMs !== undefined)) return;
    const nowMs = Date.now();
    if (isCurrent && client.gap !== undefined) client.gap.toMs = nowMs;
    if (!isCurrent) client.gap = { fromMs: untilMs ?? nowMs, toMs: undefined };
    client.liveSinceMs = isCurrent ? nowMs : undefined;
  }

  function sendLinkView(tab: Tab, view: LinkView, client: Client): void {
    const key = JSON.stringify(view);
    if (key === tab.lastLinkView) return;
    tab.lastLinkView = key;
    const isCurrent = client.liveSinceMs !== undefined;
    tab.post({ kind: "link", view, asOfMs: isCurrent ? link.lastHeardAtMs() : client.gap?.fromMs });
  }

  function broadcast(client: Client, message: WorkerMessage): void {
    for (const tab of client.tabs) tab.post(message);
  }

  function broadcastTabs(): void {
    const ids = [...clients.keys()];
    for (const tab of tabs) tab.post({ kind: "tabs", clients: ids, count: tabs.size });
  }

  function join(tab: Tab, credential: Credential, resume: Resumption): void {
    leave(tab);
    const known = clients.get(credential.client);
    const client = known ?? resumeClient(credential, resume);
    clients.set(client.id, client);
    tab.client = client;
    tab.lastLinkView = "";
    tabs.add(tab);
    client.tabs.add(tab);
    replaceCredential(client, credential);
    if (resume.phase.kind === "active") client.phase = resume.phase;
    tab.post({ kind: "session", token: client.token });
    if (known !== undefined) sendSnapshot(tab, known, resume.contacts ?? []);
    if (clients.size > MAX_CHANNELS) setPhase(client, { kind: "refused", problem: tooManyClients() });
    sendLinkView(tab, viewOf(client), client);
    broadcastTabs();
    if (client.token === undefined || link.stream()?.clients.has(client.id) !== true) link.refresh();
    // The page signed out, but its worker ended before it deleted the session.
    if (resume.phase.kind === "signed-out" && resume.session !== undefined) void signOut(client);
  }

  /** Sends the client's presence to a tab that has joined, and marks the changes since the tab's own `contacts`. */
  function sendSnapshot(tab: Tab, client: Client, contacts: readonly Presence[]): void {
    if (client.snapshot === undefined) return;
    flush(client);
    const current = [...client.snapshot.values()];
    tab.post({ kind: "snapshot", contacts: current, missed: toMissed(missedChanges(toSnapshot(contacts), current)) });
  }

  function leave(tab: Tab): void {
    const { client } = tab;
    tab.stopWatching.abort();
    if (client === undefined) return;
    tab.client = undefined;
    tabs.delete(tab);
    client.tabs.delete(tab);
    if (client.tabs.size === 0) {
      clients.delete(client.id);
      link.refresh();
    }
    broadcastTabs();
  }

  async function signOut(client: Client): Promise<void> {
    const { token } = client;
    setPhase(client, { kind: "signed-out" });
    // If the request fails, the client goes offline when its lease expires.
    if (token !== undefined) await deleteSession(network.send, token).catch(() => undefined);
  }

  function signIn(client: Client): void {
    if (client.phase.kind === "active") return;
    setPhase(client, { kind: "active" });
  }

  function handle(tab: Tab, message: TabMessage): void {
    switch (message.kind) {
      case "join":
        join(tab, message.credential, message.resume);
        if (message.lock !== undefined) {
          tab.stopWatching = new AbortController();
          watchLock(message.lock, tab.stopWatching.signal, () => leave(tab));
        }
        break;
      case "leave":
        leave(tab);
        break;
      case "ping":
        tab.post({ kind: "pong", asOfMs: link.lastHeardAtMs() });
        break;
      case "sign-out":
        if (tab.client !== undefined) void signOut(tab.client);
        break;
      case "sign-in":
        if (tab.client !== undefined) signIn(tab.client);
        break;
      case "check-connection":
        isOnline = message.online;
        link.checkNow();
        broadcastLinkViews();
        break;
      case "retry":
        link.checkNow();
        break;
      case "cut-network":
        network.cut();
        break;
      case "restore-network":
        network.restore();
        link.checkNow();
        break;
    }
  }

  return {
    addPort(port) {
      const tab: Tab = {
        post: (message) => port.postMessage(message),
        client: undefined,
        stopWatching: new AbortController(),
        lastLinkView: "",
      };
      port.addEventListener("message", (event: MessageEvent<TabMessage>) => handle(tab, event.data));
      port.start();
    },
  };
}

/** A client as its first tab knows it, from an earlier worker if there was one. */
function resumeClient(credential: Credential, { phase, session, contacts, asOfMs }: Resumption): Client {
  return {
    id: credential.client,
    credential,
    phase,
    token: session,
    sessionCreatedAtMs: 0,
    isRetriedSession: false,
    lastEventId: undefined,
    snapshot: contacts && toSnapshot(contacts),
    pending: [],
    liveSinceMs: undefined,
    staleSinceMs: undefined,
    connection: undefined,
    gap: contacts && { fromMs: asOfMs ?? Date.now(), toMs: undefined },
    tabs: new Set(),
  };
}

/** Discards the session if the new credential is another token. */
function replaceCredential(client: Client, credential: Credential): void {
  if (credential.kind === "token" && client.token !== credential.token) client.token = undefined;
  client.credential = credential;
}

/** Marks changes that happened while the page or the worker received none. */
function toMissed(changes: readonly Presence[]): ObservedChange[] {
  const seenAtMs = Date.now();
  return changes.map((presence) => ({ ...presence, seenAtMs, missed: true }));
}

function isWithin(gap: Client["gap"], atMs: number): boolean {
  return gap !== undefined && atMs >= gap.fromMs && atMs < (gap.toMs ?? Number.POSITIVE_INFINITY);
}

function tooManyClients(): Problem {
  return {
    type: "about:blank",
    title: "Too many people in this browser",
    status: 429,
    detail: `One browser can be ${MAX_CHANNELS} people at a time. Close another tab, then sign in again.`,
  };
}
