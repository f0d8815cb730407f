import { createHash, timingSafeEqual } from "node:crypto";
import { type RequestHandler, Router } from "express";
import type { Metrics } from "../metrics.ts";
import type { PushHub } from "../push/push-hub.ts";
import { bearerToken } from "./authentication.ts";
import { onlyAllows, plainProblem } from "./http-problem.ts";

export interface OperatorRouteDependencies {
  hub: PushHub;
  metrics: Metrics;
  /** Texts for `GET /readyz`. */
  warnings: () => string[];
  /** The bearer token that `GET /metrics` requires; `undefined` if it requires none. */
  metricsToken: string | undefined;
}

/** Liveness, readiness and metrics for operators. */
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
    .get(requireMetricsToken(metricsToken), async (_request, response) => {
      const text = await metrics.registry.metrics();
      response.set("Cache-Control", "no-store").type(metrics.registry.contentType).send(text);
    })
    .all(onlyAllows("GET", "HEAD"));
  return router;
}

/** Metrics show how many clients connect and when, so operators can protect them with a token. */
function requireMetricsToken(token: string | undefined): RequestHandler {
  return (request, _response, next) => {
    if (token !== undefined && !isEqual(bearerToken(request) ?? "", token)) {
      throw plainProblem(401, "Send METRICS_TOKEN as Authorization: Bearer …", { "WWW-Authenticate": "Bearer" });
    }
    next();
  };
}

/** Compares in constant time. */
function isEqual(given: string, expected: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(expected));
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
