import { createProblem } from "@presence/protocol";
import type { Request } from "express";
import type { Session, Sessions } from "../sessions/sessions.ts";
import { HttpProblem } from "./http-problem.ts";

const BEARER = /^Bearer +([^\s]+) *$/i;

/** The session whose token is in the `Authorization` header. */
export function authenticate(request: Request, sessions: Sessions): Promise<Session> {
  return sessions.verify(require(bearerToken(request)));
}

/** As `authenticate`, for what may go on while nobody can tell whether the token was signed out. */
export function authenticateLeniently(request: Request, sessions: Sessions): Promise<Session> {
  return sessions.verifyLeniently(require(bearerToken(request)));
}

/** As `authenticate`, or with the token in `?token=`: an `EventSource` can't send headers. */
export function authenticateStream(request: Request, sessions: Sessions): Promise<Session> {
  return sessions.verify(require(bearerToken(request) ?? queryToken(request)));
}

/** What is in the `Authorization` header, if it is a bearer token. */
export function bearerToken(request: Request): string | undefined {
  return BEARER.exec(request.get("authorization") ?? "")?.[1];
}

function queryToken(request: Request): string | undefined {
  const token = request.query["token"];
  return typeof token === "string" && token !== "" ? token : undefined;
}

function require(token: string | undefined): string {
  if (token !== undefined) return token;
  throw new HttpProblem(createProblem("urn:presence:problem:token-missing"), { "WWW-Authenticate": "Bearer" });
}
