import { createProblem } from "@presence/protocol";
import express, { type RequestHandler } from "express";
import type { z } from "zod";
import { HttpProblem, plainProblem } from "./http-problem.ts";

/** Middleware that parses a JSON body of at most `maxBytes`; 415 for another content type. */
export function readJson(maxBytes: number): RequestHandler[] {
  return [
    (request, _response, next) => {
      if (!request.is("application/json")) throw plainProblem(415, "Send a body with Content-Type: application/json.");
      next();
    },
    express.json({ limit: maxBytes }),
  ];
}

/**
 * The body, validated.
 *
 * @throws {HttpProblem} 400 that names the invalid fields
 */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => [...path, message].join(": ")).join("; ");
  throw new HttpProblem(createProblem("urn:presence:problem:invalid-body", `The body is not valid: ${issues}.`));
}
