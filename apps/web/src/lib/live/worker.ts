/**
 * Holds this browser's connection to the server. It runs as a SharedWorker, to which each page connects with a port, or
 * as a dedicated Worker, to which its page sends a port.
 */
import { startHub } from "./hub.ts";
import type { WorkerMessage } from "./tab-protocol.ts";
import { holdLock } from "./web-lock.ts";

const hub = startHub();
/** Held as long as this worker exists. Pages wait for it to learn that the worker has ended. */
const ownLock = holdLock("presence.worker");

async function sayHello(port: MessagePort): Promise<void> {
  port.postMessage({ kind: "hello", lock: await ownLock } satisfies WorkerMessage);
}

/** Ports arrive with an event: `connect` in a SharedWorker, `message` in a dedicated Worker. */
function addPorts(event: Event): void {
  if (!(event instanceof MessageEvent)) return;
  for (const port of event.ports) {
    hub.addPort(port);
    void sayHello(port);
  }
}

globalThis.addEventListener("connect", addPorts);
globalThis.addEventListener("message", addPorts);
