import { type ServerResponse, STATUS_CODES } from "node:http";
import { createProblem, type Problem, retryAfterSeconds, retryRangeMs } from "@presence/protocol";
import type { ErrorRequestHandler, RequestHandler } from "express";
import type { Logger } from "pino";
import { LongContactListError } from "../contacts/directory.ts";
import { PresenceUnavailableError } from "../presence/presence-platform.ts";
import { DrainingError } from "../push/drain.ts";
import { randomBetween } from "../push/jitter.ts";
import { TokenError } from "../sessions/sessions.ts";

/** An error that a route throws to answer with a problem (RFC 9457). */
export class HttpProblem extends Error {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;

  constructor(problem: Problem, headers: Readonly<Record<string, string>> = {}) {
    super(problem.detail);
    this.name = "HttpProblem";
    this.problem = problem;
    this.headers = headers;
  }
}

/** A problem of type `about:blank`: the status says what is wrong, `detail` what to do. */
export function plainProblem(status: number, detail: string, headers?: Readonly<Record<string, string>>): HttpProblem {
  return new HttpProblem({ type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail }, headers);
}

function sendProblem(response: ServerResponse, { problem, headers }: HttpProblem): void {
  const body = JSON.stringify(problem);
  response.writeHead(problem.status, {
    ...headers,
    "Content-Type": "application/problem+json",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
  });
  response.end(body);
}

/** Answers 404 for a path without a route. */
export const notFound: RequestHandler = (request) => {
  throw plainProblem(404, `There is nothing at ${request.path}.`);
};

/** Answers 405 for a method that a path does not support. */
export function onlyAllows(...methods: string[]): RequestHandler {
  const allow = methods.join(", ");
  return (request) => {
    throw plainProblem(405, `${request.path} supports ${allow}.`, { Allow: allow });
  };
}

/**
 * Answers an error with its problem. An unexpected error is logged, and its message is not sent to the client.
 *
 * @param heartbeatIntervalMs determines `Retry-After`
 */
export function problemHandler(logger: Logger, heartbeatIntervalMs: number): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const problem = asHttpProblem(error, heartbeatIntervalMs);
    if (!problem) logger.error({ err: error, method: request.method, path: request.path }, "unexpected error");
    if (response.headersSent) response.destroy();
    else sendProblem(response, problem ?? plainProblem(500, "An unexpected error occurred. Try again shortly."));
  };
}

/** The problem that `error` stands for, or `undefined` if it is unexpected. */
export function asHttpProblem(error: unknown, heartbeatIntervalMs: number): HttpProblem | undefined {
  if (error instanceof HttpProblem) return error;
  if (error instanceof TokenError) return tokenProblem(error);
  if (error instanceof PresenceUnavailableError) return unavailable("presence-lost", heartbeatIntervalMs);
  if (error instanceof DrainingError) return unavailable("shutting-down", heartbeatIntervalMs);
  if (error instanceof LongContactListError) {
    return new HttpProblem(createProblem("urn:presence:problem:contact-list-too-long", error.message));
  }
  return requestProblem(error);
}

/** Clients were connected until now, and are to be back before others see them as `OFFLINE`. */
function unavailable(name: "presence-lost" | "shutting-down", heartbeatIntervalMs: number): HttpProblem {
  const seconds = retryAfterSeconds(randomBetween(retryRangeMs(heartbeatIntervalMs)), heartbeatIntervalMs);
  return new HttpProblem(createProblem(`urn:presence:problem:${name}`), { "Retry-After": String(seconds) });
}

function tokenProblem({ type, message }: TokenError): HttpProblem {
  if (type === "keys-unavailable") return plainProblem(503, message, { "Retry-After": "5" });
  return new HttpProblem(createProblem(`urn:presence:problem:${type}`, message), {
    "WWW-Authenticate": 'Bearer error="invalid_token"',
  });
}

/** Errors of Express and its body parser have a `status`, and some a `type`. */
function requestProblem(error: unknown): HttpProblem | undefined {
  if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number") return undefined;
  if (error.status < 400 || error.status > 499) return undefined;
  const type = "type" in error ? error.type : undefined;
  if (type === "entity.too.large") return plainProblem(413, "The body is too large.");
  if (type === "entity.parse.failed") return plainProblem(400, "The body is not JSON.");
  if (error instanceof URIError) return plainProblem(400, "The path has invalid percent-encoding.");
  return plainProblem(error.status, `The request is invalid: ${error.message}.`);
}
