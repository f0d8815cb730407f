import { type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import type { TestServer } from "./start-test-server.ts";

export interface RawResponse {
  status: number;
  /** Header names in lower case. */
  headers: Map<string, string>;
  body: string;
}

/** A TCP connection to the server, for requests that no HTTP client would send. It closes at the end of the test. */
export async function openSocket({ port }: TestServer): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  // The server may reset the connection after its response.
  socket.on("error", () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return socket;
}

/** Sends bytes unchanged, and reads until the server closes the connection. */
export async function exchange(server: TestServer, bytes: string | Buffer): Promise<RawResponse> {
  const socket = await openSocket(server);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.write(bytes);
  await closed;
  return parseResponse(Buffer.concat(chunks).toString());
}

/** Sends a request target unchanged; `fetch` would normalize it. */
export function requestTarget(server: TestServer, target: string, method = "GET"): Promise<RawResponse> {
  return exchange(server, `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
}

function parseResponse(text: string): RawResponse {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(statusLine.split(" ")[1]), headers, body: rest.join("\r\n\r\n") };
}

export interface BytesResponse {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Returns the body as it was sent; `fetch` would decompress it. */
export function requestBytes(
  { url }: TestServer,
  path: string,
  { method = "GET", headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<BytesResponse> {
  return new Promise((resolve, reject) => {
    request(`${url}${path}`, { method, headers, agent: false }, (response) => {
      buffer(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        reject,
      );
    })
      .on("error", reject)
      .end();
  });
}
