import { connect } from "node:net";
import { workerData } from "node:worker_threads";
import { Decoder, encode } from "./resp3.mjs";

/** @type {{ host: string, port: number, channel: import("node:worker_threads").MessagePort, arrivals: Int32Array }} */
const { host, port, channel, arrivals } = workerData;
const decoder = new Decoder();
const socket = connect({ host, port, noDelay: true });

/** @param {object} message */
function send(message) {
  channel.postMessage(message);
  Atomics.add(arrivals, 0, 1);
  Atomics.notify(arrivals, 0);
}

socket.on("data", (bytes) => {
  for (const message of decoder.read(bytes)) send(message);
});
socket.on("error", (error) => send({ kind: "closed", value: error.message }));
socket.on("close", () => send({ kind: "closed", value: "the connection to Redis is closed" }));
channel.on("message", (/** @type {readonly string[][] | "close"} */ commands) => {
  if (commands === "close") {
    socket.destroy();
    channel.close();
  } else socket.write(commands.map(encode).join(""));
});
