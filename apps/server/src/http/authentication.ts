import { createProblem } from "@presence/protocol";
import type { Request } from "express";
import type { Session, Sessions } from "../sessions/sessions.ts";
import { HttpProblem } from "./http-problem.ts";

const BEARER = /^Bearer +([^\s]+) *$/i;

/**
 * The session of the token in the `Authorization` header.
 *
 * @throws {HttpProblem} 401 if there is no token
 * @throws {TokenError} if the token is not accepted
 */
export function authenticate(request: Request, sessions: Sessions): Promise<Session> {
  return sessions.verify(requireToken(bearerToken(request)));
}

/** Like `authenticate`, but accepts the token when the revocation check is unavailable (Redis is down). */
export function authenticateLeniently(request: Request, sessions: Sessions): Promise<Session> {
  return sessions.verifyLeniently(requireToken(bearerToken(request)));
}

/** Like `authenticate`, but also takes the token from `?token=`, because `EventSource` cannot send headers. */
export function authenticateStream(request: Request, sessions: Sessions): Promise<Session> {
  return sessions.verify(requireToken(bearerToken(request) ?? queryToken(request)));
}

/** The bearer token in the `Authorization` header. */
export function bearerToken(request: Request): string | undefined {
  return BEARER.exec(request.get("authorization") ?? "")?.[1];
}

function queryToken(request: Request): string | undefined {
  const token = request.query["token"];
  return typeof token === "string" && token !== "" ? token : undefined;
}

function requireToken(token: string | undefined): string {
  if (token !== undefined) return token;
  throw new HttpProblem(createProblem("urn:presence:problem:token-missing"), { "WWW-Authenticate": "Bearer" });
}
