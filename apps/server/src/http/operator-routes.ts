import { Router } from "express";
import type { Metrics } from "../metrics.ts";
import type { PushHub } from "../push/push-hub.ts";
import { onlyAllows } from "./http-problem.ts";

/** Liveness, readiness and metrics, for those who run the server. */
export function operatorRoutes(hub: PushHub, metrics: Metrics, warnings: () => string[]): Router {
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
    .get(async (_request, response) => {
      const text = await metrics.registry.metrics();
      response.set("Cache-Control", "no-store").type(metrics.registry.contentType).send(text);
    })
    .all(onlyAllows("GET", "HEAD"));
  return router;
}
