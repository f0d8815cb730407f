/** A page's connection to one worker. */
import type { TabMessage, WorkerMessage } from "./tab-protocol.ts";
import { holdLock, watchLock } from "./web-lock.ts";
import workerUrl from "./worker.ts?worker&url";
import type { WorkerChoice } from "./worker-state.ts";

export interface WorkerConnection {
  post(message: TabMessage): void;
  /** Leaves the worker and releases everything that belongs to the connection. No callback is called afterwards. */
  close(): void;
}

export interface WorkerConnectionCallbacks {
  /** Returns the first message. `lock` is the name of a Web Lock that is held until the connection is closed. */
  join(lock: string | undefined): TabMessage;
  onMessage(message: WorkerMessage): void;
  /** The worker couldn't be loaded, or threw an uncaught exception. */
  onError(): void;
  /** The worker no longer exists. */
  onEnded(): void;
}

/** Whether this browser supports shared workers and the locks by which they and their pages notice each other's end. */
export function canShareWorker(): boolean {
  return typeof SharedWorker !== "undefined" && navigator.locks !== undefined;
}

/** @throws if the browser refuses to create the worker */
export function connectToWorker(
  choice: WorkerChoice,
  { join, onMessage, onError, onEnded }: WorkerConnectionCallbacks,
): WorkerConnection {
  const closing = new AbortController();
  const { signal } = closing;
  const { worker, port } = choice.kind === "shared" ? createShared(choice.generation) : createDedicated();

  function receive(message: WorkerMessage): void {
    if (message.kind === "hello" && message.lock !== undefined) watchLock(message.lock, signal, onEnded);
    onMessage(message);
  }

  async function start(): Promise<void> {
    const lock = await holdLock("presence.page", signal);
    if (!signal.aborted) port.postMessage(join(lock));
  }

  worker.addEventListener("error", onError, { signal });
  port.addEventListener("message", (event: MessageEvent<WorkerMessage>) => receive(event.data), { signal });
  port.start();
  void start();

  return {
    post: (message) => port.postMessage(message),
    close() {
      port.postMessage({ kind: "leave" } satisfies TabMessage);
      port.close();
      closing.abort();
      if (worker instanceof Worker) worker.terminate();
    },
  };
}

interface WorkerWithPort {
  worker: EventTarget;
  port: MessagePort;
}

function createShared(generation: number): WorkerWithPort {
  const worker = new SharedWorker(workerUrl, {
    type: "module",
    name: generation === 0 ? "presence" : `presence-${generation}`,
  });
  return { worker, port: worker.port };
}

function createDedicated(): WorkerWithPort {
  const worker = new Worker(workerUrl, { type: "module", name: "presence" });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(undefined, [port2]);
  return { worker, port: port1 };
}
