import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { letInByTurns } from "./doorway.ts";

const CLIENTS = 300;

it("lets those who come at once in a few at a time, and each of them in the end", async () => {
  const server = createServer((_request, response) => void response.end("hello"));
  const letInByTurn: number[] = [];
  let isTurnCounted = false;
  server.on("connection", () => {
    if (!isTurnCounted) {
      isTurnCounted = true;
      letInByTurn.push(0);
      setImmediate(() => {
        isTurnCounted = false;
      });
    }
    letInByTurn.push((letInByTurn.pop() ?? 0) + 1);
  });
  letInByTurns(server);
  let arrived = 0;
  server.on("connection", () => {
    arrived += 1;
  });
  server.listen({ port: 0, host: "127.0.0.1", backlog: CLIENTS });
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;

  const answers = Array.from({ length: CLIENTS }, () => ask(connect({ port, host: "127.0.0.1" })));
  expect(new Set(await Promise.all(answers))).toEqual(new Set(["HTTP/1.1 200 OK"]));
  expect(arrived).toBe(CLIENTS);
  expect(letInByTurn.reduce((sum, count) => sum + count, 0)).toBe(CLIENTS);
  expect(Math.max(...letInByTurn)).toBeLessThanOrEqual(24);
});

/** @returns the first line of the answer */
async function ask(socket: Socket): Promise<string> {
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const [chunk] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return chunk.toString().split("\r\n", 1)[0] ?? "";
}
