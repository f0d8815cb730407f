/** A page's client for the worker that holds the connection. If the worker ends, it starts another one. */
import type { Presence } from "@presence/protocol";
import type { LinkView } from "./link-view.ts";
import type { ClientPhase, Credential, LiveMessage, TabMessage, WorkerMessage } from "./tab-protocol.ts";
import { canShareWorker, connectToWorker, type WorkerConnection } from "./worker-connection.ts";
import { nextWorkerState, TICK_MS, type WorkerEvent, type WorkerState } from "./worker-state.ts";

export interface LiveClient {
  /** Ends the session for all of this client's pages in this browser. */
  signOut(): void;
  /** Creates a new session after signing out or a refusal. */
  signIn(): void;
  /** Reconnects now. */
  retry(): void;
  cutNetwork(): void;
  restoreNetwork(): void;
  stop(): void;
}

export interface LiveClientOptions {
  credential: Credential;
  /** Whether this page uses its own connection instead of the one shared by the browser's pages. */
  ownConnection: boolean;
  onMessage(message: LiveMessage): void;
  /** The presence that the page has, or `undefined` before the first snapshot. */
  getPresence(): Presence[] | undefined;
}

/** After so many workers in a row that failed to start, the page says what the user can do. */
const FAILURES_BEFORE_ADVICE = 2;

export function startLiveClient({ credential, ownConnection, onMessage, getPresence }: LiveClientOptions): LiveClient {
  const canShare = !ownConnection && canShareWorker();
  const stopping = new AbortController();
  let worker: WorkerState = { kind: "stopped" };
  let connection: WorkerConnection | undefined;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  // What a new worker is told.
  let phase: ClientPhase = { kind: "active" };
  let session: string | undefined;
  let asOfMs: number | undefined;
  let isNetworkCut = false;

  function apply(event: WorkerEvent): void {
    const before = worker;
    worker = nextWorkerState(before, event, { nowMs: Date.now(), random: Math.random(), canShare });
    if (worker.kind === before.kind) return;
    clearTimeout(retryTimer);
    switch (worker.kind) {
      case "starting":
        showWithoutWorker();
        connect(worker);
        break;
      case "waiting":
        disconnect();
        showWithoutWorker();
        retryTimer = setTimeout(() => apply({ kind: "retry" }), worker.retryAtMs - Date.now());
        break;
      case "stopped":
        disconnect();
        break;
    }
  }

  function connect({ choice }: WorkerState & { kind: "starting" }): void {
    try {
      connection = connectToWorker(choice, {
        join,
        onMessage: receive,
        onError: () => apply({ kind: "failed" }),
        onEnded: () => apply({ kind: "ended" }),
      });
      if (isNetworkCut) connection.post({ kind: "cut-network" });
      if (!navigator.onLine) connection.post({ kind: "check-connection", online: false });
    } catch {
      apply({ kind: "failed" });
    }
  }

  function disconnect(): void {
    connection?.close();
    connection = undefined;
  }

  function join(lock: string | undefined): TabMessage {
    return { kind: "join", credential, lock, resume: { phase, session, contacts: getPresence(), asOfMs } };
  }

  function receive(message: WorkerMessage): void {
    apply({ kind: "heard" });
    switch (message.kind) {
      case "hello":
        return;
      case "pong":
        asOfMs = message.asOfMs ?? asOfMs;
        return;
      case "session":
        session = message.token;
        break;
      case "link":
        asOfMs = message.asOfMs ?? asOfMs;
        phase = phaseOf(message.view);
        break;
    }
    onMessage(message);
  }

  /** Shows that this page has no connection. A client that is signed out or refused needs none. */
  function showWithoutWorker(): void {
    const view = viewWithoutWorker(worker, getPresence() !== undefined);
    if (phase.kind === "active" && view !== undefined) onMessage({ kind: "link", view, asOfMs });
  }

  /** Finds out whether the worker and its stream are alive. */
  function checkConnection(): void {
    apply({ kind: "retry" });
    connection?.post({ kind: "check-connection", online: navigator.onLine });
    connection?.post({ kind: "ping" });
  }

  const { signal } = stopping;
  window.addEventListener("online", checkConnection, { signal });
  window.addEventListener("offline", checkConnection, { signal });
  document.addEventListener(
    "visibilitychange",
    () => {
      if (document.visibilityState === "visible") checkConnection();
    },
    { signal },
  );
  // A page in the back/forward cache doesn't run, and must not hold locks.
  window.addEventListener("pagehide", () => apply({ kind: "stop" }), { signal });
  window.addEventListener(
    "pageshow",
    (event) => {
      if (event.persisted) apply({ kind: "start" });
    },
    { signal },
  );
  const ticking = setInterval(() => {
    apply({ kind: "tick" });
    connection?.post({ kind: "ping" });
  }, TICK_MS);
  apply({ kind: "start" });

  return {
    signOut() {
      // A worker that has ended unnoticed doesn't receive the message, but the next one is told.
      phase = { kind: "signed-out" };
      connection?.post({ kind: "sign-out" });
    },
    signIn() {
      phase = { kind: "active" };
      apply({ kind: "retry" });
      connection?.post({ kind: "sign-in" });
    },
    retry() {
      apply({ kind: "retry" });
      connection?.post({ kind: "retry" });
    },
    cutNetwork() {
      isNetworkCut = true;
      connection?.post({ kind: "cut-network" });
    },
    restoreNetwork() {
      isNetworkCut = false;
      connection?.post({ kind: "restore-network" });
    },
    stop() {
      stopping.abort();
      clearInterval(ticking);
      apply({ kind: "stop" });
    },
  };
}

function phaseOf(view: LinkView): ClientPhase {
  return view.kind === "signed-out" || view.kind === "refused" ? view : { kind: "active" };
}

/** @returns `undefined` if the worker's own view counts */
function viewWithoutWorker(worker: WorkerState, hasPresence: boolean): LinkView | undefined {
  if (worker.kind !== "starting" && worker.kind !== "waiting") return undefined;
  if (worker.failures >= FAILURES_BEFORE_ADVICE) {
    return worker.kind === "waiting" ? { kind: "not-loaded", retryAtMs: worker.retryAtMs } : { kind: "not-loaded" };
  }
  return { kind: hasPresence ? "retrying" : "connecting" };
}
