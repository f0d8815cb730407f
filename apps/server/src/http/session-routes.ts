import type { SessionResponse } from "@presence/protocol";
import { Router } from "express";
import { z } from "zod";
import type { PushHub } from "../push/push-hub.ts";
import type { DemoSessions, Sessions } from "../sessions/sessions.ts";
import { authenticate } from "./authentication.ts";
import { requireClientId } from "./client-id.ts";
import { onlyAllows } from "./http-problem.ts";
import { parseBody, readJson } from "./json-body.ts";

const MAX_BODY_BYTES = 1024;
const sessionRequest = z.strictObject({ client: z.string() });

/** `POST /api/sessions` (demo mode only): issues a token for any client. */
export function sessionIssueRoutes(sessions: DemoSessions): Router {
  const router = Router();
  router
    .route("/api/sessions")
    .post(...readJson(MAX_BODY_BYTES), async (request, response) => {
      const client = requireClientId(parseBody(sessionRequest, request.body).client);
      const body: SessionResponse = { client, ...(await sessions.issue(client)) };
      response.status(201).set("Cache-Control", "no-store").json(body);
    })
    .all(onlyAllows("POST"));
  return router;
}

/** `DELETE /api/sessions/current`: signs out. */
export function sessionEndRoutes(sessions: Sessions, hub: PushHub): Router {
  const router = Router();
  router
    .route("/api/sessions/current")
    .delete(async (request, response) => {
      const session = await authenticate(request, sessions);
      await sessions.revoke(session);
      await hub.signOut(session);
      response.status(204).end();
    })
    .all(onlyAllows("DELETE"));
  return router;
}
