import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { StreamSink } from "./stream-sink.ts";

/** Requests a response and collects what the reader receives, one string per `data` event. */
async function readResponse(respond: (response: ServerResponse) => void): Promise<string[]> {
  const server = createServer((_request, response) => respond(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const reader = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => {
    reader.destroy();
    server.close();
  });
  const received: string[] = [];
  reader.on("data", (bytes) => received.push(bytes.toString()));
  reader.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return received;
}

const eventually = (read: () => unknown) => expect.poll(read, { timeout: 10_000 });

it("sends the head in one write with the first bytes", async () => {
  const received = await readResponse((response) => {
    const sink = StreamSink.open(response, {});
    queueMicrotask(() => sink.write(Buffer.from("first")));
  });
  await eventually(() => received).not.toHaveLength(0);
  expect(received[0]).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*first\r\n$/);
});

it("sends the head alone if no bytes follow soon", async () => {
  let sink: StreamSink | undefined;
  const received = await readResponse((response) => {
    sink = StreamSink.open(response, {});
  });
  await eventually(() => received).toHaveLength(1);
  expect(received[0]).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/);
  sink?.write(Buffer.from("first"));
  await eventually(() => received).toHaveLength(2);
});

it("sends the head of a stream that ends without a write", async () => {
  const received = await readResponse((response) => StreamSink.open(response, {}).end());
  await eventually(() => received.join("")).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n0\r\n\r\n$/);
});

it("sends all of a large first message", async () => {
  const large = "x".repeat(3_000_000);
  const received = await readResponse((response) => {
    const sink = StreamSink.open(response, {});
    sink.write(Buffer.from(large));
    sink.write(Buffer.from("then"));
  });
  await eventually(() => received.join("")).toMatch(/then\r\n$/);
  expect(received.join("").match(/x/g)).toHaveLength(large.length);
});
