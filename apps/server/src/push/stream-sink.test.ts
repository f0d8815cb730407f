import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { StreamSink } from "./stream-sink.ts";

/** What a reader of such a response receives, one string for each time it was given something. */
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

it("sends the head in one write with what the stream begins with", async () => {
  const received = await readResponse((response) => {
    const sink = StreamSink.open(response, {});
    setTimeout(() => sink.write(Buffer.from("first")), 2);
  });
  await expect.poll(() => received).not.toHaveLength(0);
  expect(received[0]).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*first\r\n$/);
});

it("sends the head alone where nothing follows for a while", async () => {
  const received = await readResponse((response) => {
    const sink = StreamSink.open(response, {});
    setTimeout(() => sink.write(Buffer.from("first")), 500);
  });
  await expect.poll(() => received).toHaveLength(2);
  expect(received[0]).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/);
});

it("sends the head of a stream that ends before it has begun", async () => {
  const received = await readResponse((response) => StreamSink.open(response, {}).end());
  await expect.poll(() => received.join("")).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n0\r\n\r\n$/);
});

it("takes all of a large beginning", async () => {
  const large = "x".repeat(3_000_000);
  const received = await readResponse((response) => {
    const sink = StreamSink.open(response, {});
    sink.write(Buffer.from(large));
    sink.write(Buffer.from("then"));
  });
  await expect.poll(() => received.join("")).toMatch(/then\r\n$/);
  expect(received.join("").match(/x/g)).toHaveLength(large.length);
});
