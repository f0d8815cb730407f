import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { readEventStream, requestEventStream } from "./event-stream.ts";
import { waitFor } from "./wait-for.ts";

/** @returns the URL of a server that answers every request with `respond` */
async function serve(respond: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_, response) => respond(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it("reads events, retry values and comments, however the bytes are split", async () => {
  const bytes = Buffer.from('retry: 500\n\n:\n\nid: e.1\nevent: presence\ndata: {"name":"Zoé"}\n\n');
  const url = await serve(async (response) => {
    for (const byte of bytes) {
      response.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    response.end();
  });
  const read: unknown[] = [];
  const over = await readEventStream(await requestEventStream(url), {
    onEvent: ({ id, event, data }) => read.push({ id, event, data }),
    onRetry: (retryMs) => read.push(retryMs),
    onComment: (comment) => read.push(comment),
  });
  expect(read).toEqual([500, "", { id: "e.1", event: "presence", data: '{"name":"Zoé"}' }]);
  expect(over).toBe("ended");
});

it("tells a stream that was cut from one that ended", async () => {
  const url = await serve((response) => {
    response.write("data: 1\n\n");
    setTimeout(() => response.destroy(), 20);
  });
  const events: string[] = [];
  const over = readEventStream(await requestEventStream(url), { onEvent: ({ data }) => events.push(data) });
  expect(await over).toBe("cut");
  expect(events).toEqual(["1"]);
});

it("closes the connection when the signal is aborted", async () => {
  let isClosed = false;
  const url = await serve((response) => {
    response.on("close", () => {
      isClosed = true;
    });
    response.write(":\n\n");
  });
  const abort = new AbortController();
  const response = await requestEventStream(url, { signal: abort.signal });
  const over = readEventStream(response, { onEvent: () => {} });
  abort.abort();
  expect(await over).toBe("cut");
  await waitFor("the server notices", () => isClosed);
  await expect(requestEventStream(url, { signal: abort.signal })).rejects.toThrow("abort");
});
