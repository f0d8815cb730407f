/** A page's end of the connection that the worker holds. */
import type { Credential, TabMessage, WorkerMessage } from "./tab-protocol.ts";

export interface LiveClient {
  /** Ends the session: for every page of this person in this browser. */
  signOut(): void;
  /** Makes a new session after a sign-out or a refusal. */
  signIn(): void;
  /** Tries to reconnect at once. */
  retry(): void;
  cutNetwork(): void;
  restoreNetwork(): void;
  stop(): void;
}

export interface LiveClientOptions {
  credential: Credential;
  /** Whether this page must have a connection of its own, instead of sharing one with the browser's other pages. */
  ownConnection: boolean;
  onMessage(message: WorkerMessage): void;
  /** The worker couldn't be started, so there'll be no connection. */
  onBroken(): void;
}

interface Host {
  port: MessagePort;
  stop(): void;
}

export function startLiveClient({ credential, ownConnection, onMessage, onBroken }: LiveClientOptions): LiveClient {
  const stops: (() => void)[] = [];
  // Without locks a shared worker couldn't tell that a page has crashed; a dedicated one dies with its page.
  const host = ownConnection || !canShare() ? startDedicated(onBroken) : startShared(onBroken);
  stops.push(host.stop);
  host.port.addEventListener("message", (event: MessageEvent<WorkerMessage>) => onMessage(event.data));
  host.port.start();

  function post(message: TabMessage): void {
    host.port.postMessage(message);
  }

  let lock: string | undefined;
  let isStopped = false;

  async function hello(): Promise<void> {
    lock ??= await holdLock(stops);
    if (!isStopped) post({ kind: "hello", credential, lock });
  }

  function nudge(): void {
    post({ kind: "nudge", online: navigator.onLine });
  }

  listen(stops, window, "online", nudge);
  listen(stops, window, "offline", nudge);
  listen(stops, document, "visibilitychange", () => {
    if (document.visibilityState === "visible") nudge();
  });
  listen(stops, window, "pagehide", () => post({ kind: "bye" }));
  listen(stops, window, "pageshow", (event) => {
    if (!(event instanceof PageTransitionEvent) || !event.persisted) return;
    void hello().then(nudge);
  });
  void hello();

  return {
    signOut: () => post({ kind: "sign-out" }),
    signIn: () => post({ kind: "sign-in" }),
    retry: () => post({ kind: "retry" }),
    cutNetwork: () => post({ kind: "cut-network" }),
    restoreNetwork: () => post({ kind: "restore-network" }),
    stop() {
      isStopped = true;
      post({ kind: "bye" });
      for (const stop of stops.reverse()) stop();
    },
  };
}

/** Whether the browser's pages can share one connection. */
function canShare(): boolean {
  return typeof SharedWorker !== "undefined" && navigator.locks !== undefined;
}

function startShared(onBroken: () => void): Host {
  const worker = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "presence" });
  worker.addEventListener("error", onBroken);
  return { port: worker.port, stop: () => worker.port.close() };
}

function startDedicated(onBroken: () => void): Host {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "presence" });
  worker.addEventListener("error", onBroken);
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(undefined, [port2]);
  return { port: port1, stop: () => worker.terminate() };
}

/** Takes a lock that only this page holds, and holds it until a stop is called or the page is gone. */
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
