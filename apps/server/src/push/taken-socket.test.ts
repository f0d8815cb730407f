import { once } from "node:events";
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { listenTo, TAKEN, takeSocket } from "./taken-socket.ts";

async function serve(listener: RequestListener): Promise<{ server: Server; open: (request: string) => Socket }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    server,
    open(request) {
      const socket = connect(port, "127.0.0.1");
      onTestFinished(() => {
        socket.destroy();
      });
      socket.write(request);
      return socket;
    },
  };
}

const GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** Detaches the socket of each response after its head was sent. */
function taking(onTaken: (socket: Socket, response: ServerResponse) => void): RequestListener {
  return (_request, response) => {
    response.writeHead(200).flushHeaders();
    const { socket } = response;
    if (!socket) throw new Error("unreachable");
    setImmediate(() => {
      takeSocket(response, socket);
      onTaken(socket, response);
    });
  };
}

it("leaves a socket that can be written to and that emits close when the reader disconnects", async () => {
  let isClosed = false;
  const { open } = await serve((request, response) => {
    if (response.socket) listenTo(response.socket, "end", destroySocket);
    if (response.socket) listenTo(response.socket, "close", () => (isClosed = true));
    taking((socket) => socket.write("data"))(request, response);
  });
  const reader = open(GET);
  let received = "";
  reader.on("data", (chunk: Buffer) => {
    received += chunk;
  });
  await expect.poll(() => received).toContain("data");
  reader.end();
  await expect.poll(() => isClosed).toBe(true);
});

it("ignores further input", async () => {
  let requests = 0;
  const { open } = await serve((request, response) => {
    requests += 1;
    taking((socket) => socket.write("data"))(request, response);
  });
  const reader = open(GET);
  await once(reader, "data");
  reader.write(GET);
  reader.write("garbage".repeat(100_000));
  await nextTurn();
  await expect.poll(() => reader.writableLength).toBe(0);
  expect(requests).toBe(1);
});

it("emits TAKEN and keeps no parser and no listeners of the HTTP server", async () => {
  const taken: { wasEmitted: boolean; hasParser: boolean; listeners: string[] }[] = [];
  const { open } = await serve((request, response) => {
    let wasEmitted = false;
    response.once(TAKEN, () => {
      wasEmitted = true;
    });
    taking((socket) => {
      const listeners = ["data", "close", "drain", "error", "timeout"].filter(
        (event) => socket.listenerCount(event) > 0,
      );
      taken.push({ wasEmitted, hasParser: Boolean((socket as Socket & { parser?: unknown }).parser), listeners });
    })(request, response);
  });
  open(GET);
  await expect.poll(() => taken).toEqual([{ wasEmitted: true, hasParser: false, listeners: [] }]);
});

it.each([
  ["whose request is incomplete", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"],
  ["that is pipelined", `${GET}${GET}`],
])("does not detach a response %s", async (_which, text) => {
  const responses: ServerResponse[] = [];
  const { open } = await serve((request, response) => {
    responses.push(response);
    if (responses.length === 1 && text === `${GET}${GET}`) return;
    response.writeHead(200).flushHeaders();
    takeSocket(response, request.socket);
    expect((request.socket as Socket & { parser?: unknown }).parser).toBeTruthy();
    response.end("data");
  });
  const reader = open(text);
  let received = "";
  reader.on("data", (chunk: Buffer) => {
    received += chunk;
  });
  if (text.startsWith("GET")) await expect.poll(() => responses).toHaveLength(2);
  responses[0]?.end();
  await expect.poll(() => received).toContain("data");
});

function destroySocket(this: Socket): void {
  this.destroy();
}
