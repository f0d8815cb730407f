import { type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import type { TestServer } from "./start-test-server.ts";

export interface RawResponse {
  status: number;
  /** Names in lower case. */
  headers: Map<string, string>;
  body: string;
}

/** A bare connection to the server, for what no HTTP client would send; it closes with its test. */
export async function openSocket({ port }: TestServer): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  // A server that has had enough resets the connection; what it said before that is what counts.
  socket.on("error", () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return socket;
}

/** Sends bytes as they are, and reads until the server closes. */
export async function exchange(server: TestServer, bytes: string | Buffer): Promise<RawResponse> {
  const socket = await openSocket(server);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.write(bytes);
  await closed;
  return parseResponse(Buffer.concat(chunks).toString());
}

/** A request with a target that is sent as it stands, where `fetch` would tidy it up. */
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

/** A request that gets its answer's bytes as they were sent, where `fetch` would decode them. */
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
