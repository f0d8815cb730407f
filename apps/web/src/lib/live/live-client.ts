/** A page's client for the worker that holds the connection. */
import type { Credential, TabMessage, WorkerMessage } from "./tab-protocol.ts";

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
  onMessage(message: WorkerMessage): void;
  /** The worker couldn't be started, so the page can't connect. */
  onWorkerError(): void;
}

interface WorkerHandle {
  port: MessagePort;
  stop(): void;
}

export function startLiveClient({
  credential,
  ownConnection,
  onMessage,
  onWorkerError,
}: LiveClientOptions): LiveClient {
  const stops: (() => void)[] = [];
  // A shared worker needs Web Locks to detect a crashed page. A dedicated worker ends with its page.
  const worker = ownConnection || !canShare() ? startDedicated(onWorkerError) : startShared(onWorkerError);
  stops.push(worker.stop);
  worker.port.addEventListener("message", (event: MessageEvent<WorkerMessage>) => onMessage(event.data));
  worker.port.start();

  function post(message: TabMessage): void {
    worker.port.postMessage(message);
  }

  let lock: string | undefined;
  let isStopped = false;

  async function join(): Promise<void> {
    lock ??= await holdLock(stops);
    if (!isStopped) post({ kind: "join", credential, lock });
  }

  function checkConnection(): void {
    post({ kind: "check-connection", online: navigator.onLine });
  }

  listen(stops, window, "online", checkConnection);
  listen(stops, window, "offline", checkConnection);
  listen(stops, document, "visibilitychange", () => {
    if (document.visibilityState === "visible") checkConnection();
  });
  listen(stops, window, "pagehide", () => post({ kind: "leave" }));
  listen(stops, window, "pageshow", (event) => {
    if (!(event instanceof PageTransitionEvent) || !event.persisted) return;
    void join().then(checkConnection);
  });
  void join();

  return {
    signOut: () => post({ kind: "sign-out" }),
    signIn: () => post({ kind: "sign-in" }),
    retry: () => post({ kind: "retry" }),
    cutNetwork: () => post({ kind: "cut-network" }),
    restoreNetwork: () => post({ kind: "restore-network" }),
    stop() {
      isStopped = true;
      post({ kind: "leave" });
      for (const stop of stops.reverse()) stop();
    },
  };
}

/** Whether this browser supports a shared worker that can detect crashed pages. */
function canShare(): boolean {
  return typeof SharedWorker !== "undefined" && navigator.locks !== undefined;
}

function startShared(onWorkerError: () => void): WorkerHandle {
  const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "presence" });
  worker.addEventListener("error", onWorkerError);
  return { port: worker.port, stop: () => worker.port.close() };
}

function startDedicated(onWorkerError: () => void): WorkerHandle {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "presence" });
  worker.addEventListener("error", onWorkerError);
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(undefined, [port2]);
  return { port: port1, stop: () => worker.terminate() };
}

/**
 * Acquires a Web Lock with a random name. It is released by `stops`, or by the browser when the page is closed or crashes.
 *
 * @returns the lock's name, or `undefined` without support for locks
 */
async function holdLock(stops: (() => void)[]): Promise<string | undefined> {
  if (navigator.locks === undefined) return undefined;
  const name = `presence.page.${Array.from(crypto.getRandomValues(new Uint32Array(4)), String).join("-")}`;
  await new Promise<void>((granted) => {
    void navigator.locks.request(name, () => {
      granted();
      return new Promise<void>((release) => stops.push(release));
    });
  });
  return name;
}

function listen(stops: (() => void)[], target: EventTarget, type: string, listener: (event: Event) => void): void {
  target.addEventListener(type, listener);
  stops.push(() => target.removeEventListener(type, listener));
}
