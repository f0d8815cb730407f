import express, { type Express } from "express";
import type { Logger } from "pino";
import type { Directory } from "../contacts/directory.ts";
import type { Metrics } from "../metrics.ts";
import type { PushHub } from "../push/push-hub.ts";
import type { DemoSessions, Sessions } from "../sessions/sessions.ts";
import type { Admission } from "./admission.ts";
import { contactRoutes, peopleRoutes } from "./contact-routes.ts";
import { crossOrigin } from "./cross-origin.ts";
import { eventRoutes, terminalEventRoutes } from "./event-routes.ts";
import { notFound, problemHandler } from "./http-problem.ts";
import { operatorRoutes } from "./operator-routes.ts";
import { requestLog } from "./request-log.ts";
import { securityHeaders } from "./security-headers.ts";
import { sessionEndRoutes, sessionIssueRoutes } from "./session-routes.ts";
import { webAppRoutes } from "./web-app-routes.ts";

/** How clients authenticate: in demo mode anyone gets a token for any client; otherwise an issuer's tokens are required. */
export type Access = { mode: "demo"; sessions: DemoSessions } | { mode: "issuer"; sessions: Sessions };

export interface AppDependencies {
  access: Access;
  directory: Directory;
  hub: PushHub;
  admission: Admission;
  /** The number of reverse proxies in front of this server. */
  trustedProxies: number;
  corsOrigins: readonly string[];
  /** The bearer token that `GET /metrics` requires; `undefined` if it requires none. */
  metricsToken: string | undefined;
  metrics: Metrics;
  logger: Logger;
  /** Texts for `GET /readyz`. */
  warnings: () => string[];
  /** The folder of the built web app. */
  webAppFolder: string;
}

/** The HTTP application of a realtime server. */
export function createApp({
  access,
  directory,
  hub,
  admission,
  trustedProxies,
  corsOrigins,
  metricsToken,
  metrics,
  logger,
  warnings,
  webAppFolder,
}: AppDependencies): Express {
  const { sessions } = access;
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("trust proxy", trustedProxies);
  app.use(requestLog(logger));
  app.use(admission.limitRequests);
  app.use(securityHeaders());
  if (corsOrigins.length > 0) app.use(crossOrigin(corsOrigins));
  app.use(sessionEndRoutes(sessions, hub));
  if (access.mode === "demo") {
    app.use(sessionIssueRoutes(access.sessions));
    app.use(peopleRoutes(directory));
    app.use(terminalEventRoutes({ directory, hub, admission }));
  }
  app.use(contactRoutes({ sessions, directory, hub }));
  app.use(eventRoutes({ sessions, directory, hub, admission }));
  app.use(operatorRoutes({ hub, metrics, warnings, metricsToken }));
  app.use(webAppRoutes(webAppFolder));
  app.use(notFound);
  app.use(problemHandler(logger, hub.heartbeatIntervalMs));
  return app;
}
