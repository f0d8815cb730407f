import { createHash, timingSafeEqual } from "node:crypto";
import { type RequestHandler, Router } from "express";
import type { Metrics } from "../metrics.ts";
import type { PushHub } from "../push/push-hub.ts";
import { bearerToken } from "./authentication.ts";
import { onlyAllows, plainProblem } from "./http-problem.ts";

export interface OperatorRouteDependencies {
  hub: PushHub;
  metrics: Metrics;
  /** What an operator should know, in words. */
  warnings: () => string[];
  /** What a request for metrics has to bring; `undefined` where none has to bring anything. */
  metricsToken: string | undefined;
}

/** Liveness, readiness and metrics, for those who run the server. */
export function operatorRoutes({ hub, metrics, warnings, metricsToken }: OperatorRouteDependencies): Router {
  const router = Router();
  router
    .route("/healthz")
    .get((_request, response) => {
      response.set("Cache-Control", "no-store").json({ status: "ok" });
    })
    .all(onlyAllows("GET", "HEAD"));
  router
    .route("/readyz")
    .get((_request, response) => {
      const readiness = hub.readiness();
      response
        .status(readiness.ready ? 200 : 503)
        .set("Cache-Control", "no-store")
        .json({ ...readiness, warnings: warnings() });
    })
    .all(onlyAllows("GET", "HEAD"));
  router
    .route("/metrics")
    .get(onlyWith(metricsToken), async (_request, response) => {
      const text = await metrics.registry.metrics();
      response.set("Cache-Control", "no-store").type(metrics.registry.contentType).send(text);
    })
    .all(onlyAllows("GET", "HEAD"));
  return router;
}

/** How many come and go, when, and for what reason, is nobody else's business. */
function onlyWith(token: string | undefined): RequestHandler {
  return (request, _response, next) => {
    if (token !== undefined && !isSame(bearerToken(request) ?? "", token)) {
      throw plainProblem(401, "Send METRICS_TOKEN as Authorization: Bearer …", { "WWW-Authenticate": "Bearer" });
    }
    next();
  };
}

/** In a time that doesn't tell how much of it is right. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(expected));
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
