/** Who is who in this browser: pages, the clients they show, and each client's session, stream position and picture. */
import { type ClientId, MAX_CHANNELS, type Presence, type Problem } from "@presence/protocol";
import { createSession, deleteSession } from "../api/api.ts";
import { ProblemError, saysFull } from "../api/problem-error.ts";
import type { ChannelMessage } from "./demultiplexer.ts";
import type { StreamOrder } from "./event-stream.ts";
import { type Link, startLink } from "./link.ts";
import { type LinkView, viewWithoutStream } from "./link-view.ts";
import { createNetwork } from "./network.ts";
import { isNews, missedChanges, pictureOf } from "./picture.ts";
import type { Credential, Sighting, TabMessage, WorkerMessage } from "./tab-protocol.ts";

interface Tab {
  post(message: WorkerMessage): void;
  client: Client | undefined;
  /** What it was last told of its link, so that it hears of changes only. */
  lastLink: string;
}

interface Client {
  id: ClientId;
  credential: Credential;
  phase: { kind: "wanted" } | { kind: "signed-out" } | { kind: "refused"; problem: Problem };
  token: string | undefined;
  sessionMadeAtMs: number;
  /** Whether the session was made because the server had refused the one before, and hasn't been of use yet. */
  isSecondTry: boolean;
  lastEventId: string | undefined;
  picture: Map<ClientId, Presence> | undefined;
  /** Changes that await the end of the run they arrived in. */
  pending: Sighting[];
  /** Since when a live stream carries it, ms since the epoch; `undefined` while none does. */
  carriedSinceMs: number | undefined;
  /** The last time without a stream, ms since the epoch; its end is `undefined` while it lasts. */
  gap: { fromMs: number; toMs: number | undefined } | undefined;
  tabs: Set<Tab>;
}

export interface Hub {
  /** Takes in a page that speaks through `port`. */
  addPort(port: MessagePort): void;
}

/** A second session that is refused this soon after it was made won't get better by making a third. */
const SESSION_MIN_AGE_MS = 5000;
/** A channel that the server ended while others go on (a reader too slow, say) is opened again this much later. */
const ENDED_CHANNEL_DELAY_MS = 1000;
/** As is one for which there was no room. */
const FULL_CHANNEL_DELAY_MS = 5000;

export function startHub(): Hub {
  const clients = new Map<ClientId, Client>();
  const tabs = new Set<Tab>();
  const network = createNetwork((path, init) => fetch(path, init));
  let isOnline = true;

  const link: Link = startLink({
    network,
    isWanted: () => wantedClients().length > 0,
    prepareOrders,
    tokenOf: (ids) => wantedClients().find(({ id, token }) => ids.has(id) && token !== undefined)?.token,
    onMessage: receive,
    onChange: showLinks,
  });

  function wantedClients(): Client[] {
    return [...clients.values()].filter(({ phase }) => phase.kind === "wanted");
  }

  async function prepareOrders(): Promise<StreamOrder[]> {
    await Promise.all(wantedClients().map(ensureSession));
    return wantedClients().flatMap(({ id: client, token, lastEventId }) => {
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
      if (!isFinal || saysFull(error.problem)) throw error;
      setPhase(client, { kind: "refused", problem: error.problem });
    }
  }

  function setToken(client: Client, token: string | undefined): void {
    client.token = token;
    client.sessionMadeAtMs = Date.now();
    broadcast(client, { kind: "session", token });
  }

  function setPhase(client: Client, phase: Client["phase"]): void {
    client.phase = phase;
    if (phase.kind !== "wanted") {
      setToken(client, undefined);
      client.lastEventId = undefined;
    }
    showLinks();
    link.refresh();
  }

  function receive(order: StreamOrder, message: ChannelMessage): void {
    const client = clients.get(order.client);
    if (client?.phase.kind !== "wanted") return;
    if (message.id !== undefined) client.lastEventId = message.id;
    switch (message.kind) {
      case "snapshot":
        receiveSnapshot(client, message.snapshot.contacts);
        break;
      case "presence":
        receivePresence(client, message.presence);
        break;
      case "end":
        showLinks();
        // The end of a session that another has taken the place of is no news.
        if (order.token === client.token) receiveEnd(client, message.problem);
        break;
    }
  }

  function receiveSnapshot(client: Client, contacts: Presence[]): void {
    const seenAtMs = Date.now();
    const missed = client.picture === undefined ? [] : missedChanges(client.picture, contacts);
    client.picture = pictureOf(contacts);
    client.pending = [];
    client.isSecondTry = false;
    broadcast(client, {
      kind: "picture",
      contacts,
      missed: missed.map((presence) => ({ ...presence, seenAtMs, missed: true })),
    });
    showLinks();
  }

  function receivePresence(client: Client, presence: Presence): void {
    if (client.picture === undefined || !isNews(client.picture.get(presence.client), presence)) return;
    client.picture.set(presence.client, presence);
    if (client.pending.length === 0) queueMicrotask(() => flush(client));
    client.pending.push({ ...presence, seenAtMs: Date.now(), missed: isWithin(client.gap, presence.since) });
  }

  function flush(client: Client): void {
    if (client.pending.length > 0) broadcast(client, { kind: "changes", changes: client.pending });
    client.pending = [];
  }

  function receiveEnd(client: Client, problem: Problem): void {
    if (problem.status !== 401) {
      link.refresh(saysFull(problem) ? FULL_CHANNEL_DELAY_MS : ENDED_CHANNEL_DELAY_MS);
      return;
    }
    const isHopeless = client.isSecondTry && Date.now() - client.sessionMadeAtMs < SESSION_MIN_AGE_MS;
    if (problem.type === "urn:presence:problem:signed-out") setPhase(client, { kind: "signed-out" });
    else if (client.credential.kind === "token" || isHopeless) setPhase(client, { kind: "refused", problem });
    else {
      client.isSecondTry = true;
      setToken(client, undefined);
      link.refresh();
    }
  }

  function viewOf(client: Client): LinkView {
    if (client.phase.kind !== "wanted") return client.phase;
    if (client.carriedSinceMs !== undefined && client.picture !== undefined) {
      return { kind: "live", sinceMs: client.carriedSinceMs };
    }
    return viewWithoutStream(link.state(), { isOnline, hasPicture: client.picture !== undefined });
  }

  /** Tells every page whose link looks different from what it was told last. */
  function showLinks(): void {
    for (const client of clients.values()) {
      noteCarriage(client, link.stream()?.clients.has(client.id) === true);
      const view = viewOf(client);
      for (const tab of client.tabs) showLink(tab, view);
    }
  }

  function noteCarriage(client: Client, isCarried: boolean): void {
    if (isCarried === (client.carriedSinceMs !== undefined)) return;
    const nowMs = Date.now();
    if (isCarried && client.gap !== undefined) client.gap.toMs = nowMs;
    if (!isCarried) client.gap = { fromMs: link.lastHeardAtMs() ?? nowMs, toMs: undefined };
    client.carriedSinceMs = isCarried ? nowMs : undefined;
  }

  function showLink(tab: Tab, view: LinkView): void {
    const key = JSON.stringify(view);
    if (key === tab.lastLink) return;
    tab.lastLink = key;
    tab.post({ kind: "link", view, asOfMs: link.lastHeardAtMs() });
  }

  function broadcast(client: Client, message: WorkerMessage): void {
    for (const tab of client.tabs) tab.post(message);
  }

  function showCompany(): void {
    const ids = [...clients.keys()];
    for (const tab of tabs) tab.post({ kind: "company", clients: ids, tabs: tabs.size });
  }

  function join(tab: Tab, credential: Credential): void {
    leave(tab);
    const client = clients.get(credential.client) ?? createClient(credential);
    clients.set(client.id, client);
    tab.client = client;
    tab.lastLink = "";
    tabs.add(tab);
    client.tabs.add(tab);
    if (credential.kind === "token" && client.token !== undefined && client.token !== credential.token) {
      client.token = undefined;
    }
    client.credential = credential;
    client.phase = { kind: "wanted" };
    tab.post({ kind: "session", token: client.token });
    if (client.picture !== undefined) {
      flush(client);
      tab.post({ kind: "picture", contacts: [...client.picture.values()], missed: [] });
    }
    if (clients.size > MAX_CHANNELS) setPhase(client, { kind: "refused", problem: browserIsFull() });
    showLink(tab, viewOf(client));
    showCompany();
    if (client.token === undefined || link.stream()?.clients.has(client.id) !== true) link.refresh();
  }

  function leave(tab: Tab): void {
    const { client } = tab;
    if (client === undefined) return;
    tab.client = undefined;
    tabs.delete(tab);
    client.tabs.delete(tab);
    if (client.tabs.size === 0) {
      clients.delete(client.id);
      link.refresh();
    }
    showCompany();
  }

  async function signOut(client: Client): Promise<void> {
    const { token } = client;
    setPhase(client, { kind: "signed-out" });
    // Where the server can't be reached the lease ends what the farewell would have ended.
    if (token !== undefined) await deleteSession(network.send, token).catch(() => undefined);
  }

  function signIn(client: Client): void {
    if (client.phase.kind === "wanted") return;
    setPhase(client, { kind: "wanted" });
  }

  function handle(tab: Tab, message: TabMessage): void {
    switch (message.kind) {
      case "hello":
        join(tab, message.credential);
        if (message.lock !== undefined) void watchLock(message.lock, () => leave(tab));
        break;
      case "bye":
        leave(tab);
        break;
      case "sign-out":
        if (tab.client !== undefined) void signOut(tab.client);
        break;
      case "sign-in":
        if (tab.client !== undefined) signIn(tab.client);
        break;
      case "nudge":
        isOnline = message.online;
        link.nudge();
        showLinks();
        break;
      case "retry":
        link.nudge();
        break;
      case "cut-network":
        network.cut();
        break;
      case "restore-network":
        network.restore();
        link.nudge();
        break;
    }
  }

  return {
    addPort(port) {
      const tab: Tab = { post: (message) => port.postMessage(message), client: undefined, lastLink: "" };
      port.addEventListener("message", (event: MessageEvent<TabMessage>) => handle(tab, event.data));
      port.start();
    },
  };
}

function createClient(credential: Credential): Client {
  return {
    id: credential.client,
    credential,
    phase: { kind: "wanted" },
    token: undefined,
    sessionMadeAtMs: 0,
    isSecondTry: false,
    lastEventId: undefined,
    picture: undefined,
    pending: [],
    carriedSinceMs: undefined,
    gap: undefined,
    tabs: new Set(),
  };
}

/** Calls `onReleased` once `lock` is free: when the page that holds it has gone, however it went. */
async function watchLock(lock: string, onReleased: () => void): Promise<void> {
  await navigator.locks.request(lock, onReleased);
}

function isWithin(gap: Client["gap"], atMs: number): boolean {
  return gap !== undefined && atMs >= gap.fromMs && atMs < (gap.toMs ?? Number.POSITIVE_INFINITY);
}

function browserIsFull(): Problem {
  return {
    type: "about:blank",
    title: "This browser is full",
    status: 429,
    detail: `One browser can be ${MAX_CHANNELS} people at a time. Close one of the other tabs and sign in again.`,
  };
}
