/**
 * Holds this browser's connection to the server. It runs as a SharedWorker, to which each page connects with a port, or
 * as a dedicated Worker, to which its page sends a port.
 */
import { startHub } from "./hub.ts";

const hub = startHub();

/** Ports arrive with an event: `connect` in a SharedWorker, `message` in a dedicated Worker. */
function addPorts(event: Event): void {
  if (event instanceof MessageEvent) for (const port of event.ports) hub.addPort(port);
}

globalThis.addEventListener("connect", addPorts);
globalThis.addEventListener("message", addPorts);
