/**
 * Holds this browser's connection to the server. Runs as a SharedWorker, where every page brings its own port, or as
 * a dedicated Worker, to which its one page sends a port.
 */
import { startHub } from "./hub.ts";

const hub = startHub();

/** Both hosts deliver ports with an event: `connect` in a SharedWorker, `message` in a dedicated one. */
function takePorts(event: Event): void {
  if (event instanceof MessageEvent) for (const port of event.ports) hub.addPort(port);
}

globalThis.addEventListener("connect", takePorts);
globalThis.addEventListener("message", takePorts);
