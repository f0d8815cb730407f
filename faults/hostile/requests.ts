import { connect } from "node:net";
import fc from "fast-check";
import type { Address } from "../load/viewer.ts";
import { junk, names } from "./names.ts";

/**
 * How long to wait for a response, in ms. An incomplete request gets none. All others must get theirs within this time
 * on a busy machine too, because a wrong response that arrives later is not checked.
 */
const RESPONSE_LIMIT_MS = 10_000;
/** Placeholder for a valid token. */
const TOKEN = "$TOKEN";

/** Returns the bytes of a request, with the valid token where the request has one. */
export type HostileRequest = (token: string) => Buffer;

const PATHS = [
  "/",
  "/demo",
  "/healthz",
  "/readyz",
  "/metrics",
  "/api/people",
  "/api/contacts",
  "/api/events",
  "/api/events/pings",
  "/api/sessions",
  "/api/sessions/current",
  "/assets/../../../../etc/passwd",
  "/%2e%2e/%2e%2e/etc/passwd",
];
/** Valid routes, so that requests get as far as the handlers. */
const ROUTES = [
  ["GET", "/api/contacts"],
  ["GET", "/api/events"],
  ["POST", "/api/events"],
  ["POST", "/api/events/pings"],
  ["POST", "/api/sessions"],
  ["DELETE", "/api/sessions/current"],
];

/** @param clients the clients whose viewers are checked */
export function hostileRequests(clients: readonly string[]): fc.Arbitrary<HostileRequest> {
  const name = names(clients).map((text) => text.slice(0, 20_000));
  const method = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom("GET", "POST", "POST", "DELETE", "HEAD") },
    fc.constantFrom("PUT", "OPTIONS", "TRACE", "CONNECT", "PRI", "get", "G\u0000T", ""),
  );
  const path = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...PATHS) },
    { weight: 3, arbitrary: name.map((text) => `/events/${text}`) },
    name.map((text) => `/${text}`),
    name.map((text) => `/${encodeURIComponent(Buffer.from(text).toString())}`),
  );
  const line = fc.oneof(fc.tuple(method, path), fc.constantFrom(...ROUTES));
  const query = fc.oneof(
    { weight: 4, arbitrary: fc.constant("") },
    name.map((text) => `?token=${text}`),
    name.map((text) => `?connection=${text}&connection[]=${text}&token[__proto__]=x`),
    fc.constant(`?token=${TOKEN}`),
  );
  const header = fc.oneof(
    name.map((text) => `Authorization: Bearer ${text}`),
    name.map((text) => `Last-Event-ID: ${text}`),
    fc.nat().map((version) => `Last-Event-ID: abc.${version}`),
    fc.constantFrom(
      "Last-Event-ID: a.99999999999999999999",
      "Accept: text/html",
      "Accept: ;;;",
      "Expect: 100-continue",
    ),
    fc.constantFrom("Transfer-Encoding: chunked", "Content-Length: -1", "Content-Length: 99", "Content-Encoding: gzip"),
    fc.constantFrom("X-Forwarded-For: 1.2.3.4, ::1, nonsense", "Origin: null", "Upgrade: websocket", "Cookie: token=x"),
    name.map((text) => `X-${text}: ${text}`),
  );
  // About half of the requests have what the handlers require.
  const headers = fc
    .tuple(
      fc.subarray([`Authorization: Bearer ${TOKEN}`, "Content-Type: application/json"]),
      fc.array(header, { maxLength: 2 }),
    )
    .map((each) => each.flat());
  const body = fc.oneof(
    { weight: 3, arbitrary: fc.constant(Buffer.alloc(0)) },
    junk,
    { weight: 3, arbitrary: name.map((client) => json({ client })) },
    name.map((connection) => json({ connection })),
    name.map((lastEventId) => json({ streams: [{ token: TOKEN, lastEventId }] })),
    fc
      .array(fc.record({ token: fc.oneof(fc.constant(TOKEN), name) }), { maxLength: 40 })
      .map((streams) => json({ streams })),
  );
  const request = fc.tuple(line, query, headers, body).map(
    ([[verb, target], search, others, bytes]): HostileRequest =>
      (token) => {
        const sent = withToken(bytes, token);
        const own = ["Host: localhost", "Connection: close", `Content-Length: ${sent.length}`];
        const head = [`${verb} ${target}${search} HTTP/1.1`, ...own, ...others, "", ""].join("\r\n");
        return Buffer.concat([withToken(Buffer.from(head), token), sent]);
      },
  );
  const nonsense = junk.map(
    (bytes): HostileRequest =>
      () =>
        bytes,
  );
  return fc.oneof({ weight: 9, arbitrary: request }, { weight: 1, arbitrary: nonsense });
}

/**
 * Sends a request, and closes the connection at the first response bytes.
 *
 * @param token a valid token, for requests that have one
 * @returns the status of the response; `undefined` if there was none
 */
export function sendHostile(
  request: HostileRequest,
  { host, port }: Address,
  token: string,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (status: number | undefined) => {
      socket.destroy();
      resolve(status);
    };
    socket.setTimeout(RESPONSE_LIMIT_MS, () => finish(undefined));
    socket.on("error", () => {});
    socket.once("close", () => finish(undefined));
    socket.once("data", (chunk: Buffer) => finish(Number(/^HTTP\/1\.1 (\d{3}) /.exec(chunk.toString("latin1"))?.[1])));
    socket.write(request(token));
  });
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function withToken(bytes: Buffer, token: string): Buffer {
  return bytes.includes(TOKEN) ? Buffer.from(bytes.toString("latin1").replaceAll(TOKEN, token), "latin1") : bytes;
}
