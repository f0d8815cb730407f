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

/** Who may be whom: in demo mode anyone may be any client, else an issuer's tokens decide. */
export type Access = { mode: "demo"; sessions: DemoSessions } | { mode: "issuer"; sessions: Sessions };

export interface AppDependencies {
  access: Access;
  directory: Directory;
  hub: PushHub;
  admission: Admission;
  /** How many proxies stand in front. */
  trustedProxies: number;
  corsOrigins: readonly string[];
  /** What a request for metrics has to bring, where it has to bring anything. */
  metricsToken: string | undefined;
  metrics: Metrics;
  logger: Logger;
  /** What an operator should know, in words. */
  warnings: () => string[];
  /** The folder of the built web app. */
  webAppFolder: string;
}

/** The HTTP face of a realtime server. */
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
  app.use(problemHandler(logger));
  return app;
}
