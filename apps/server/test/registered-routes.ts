import type { IRouter } from "express";
import { pino } from "pino";
import { parseConfig } from "../src/config.ts";
import { Directory } from "../src/contacts/directory.ts";
import { ROSTER } from "../src/contacts/roster.ts";
import { Admission } from "../src/http/admission.ts";
import { createApp } from "../src/http/app.ts";
import { Metrics } from "../src/metrics.ts";
import { PushHub } from "../src/push/push-hub.ts";
import { createDemoSessions } from "../src/sessions/jwt-sessions.ts";
import { createStandaloneParts } from "../src/standalone.ts";

interface Layer {
  route?: { path: string | RegExp | readonly (string | RegExp)[]; methods: Readonly<Record<string, boolean>> };
  handle: { stack?: readonly Layer[] };
  /** Whether it handles all paths. */
  slash: boolean;
}

/**
 * Every route that the application registers, such as `GET /api/contacts`. It uses demo mode, which has all routes.
 * `HEAD` and the handlers that answer 405 are not listed separately.
 *
 * @throws if something other than a route is mounted on a path
 */
export async function registeredRoutes(): Promise<string[]> {
  const config = parseConfig({}, []);
  const metrics = new Metrics();
  const logger = pino({ level: "silent" });
  const parts = createStandaloneParts(config, ROSTER, metrics);
  const hub = new PushHub({ platform: parts.platform, metrics, logger });
  const app = createApp({
    access: { mode: "demo", sessions: createDemoSessions(parts.demoKey, 1_000, parts.revocations) },
    directory: new Directory(parts.contacts, { admitsGuests: true, maxContacts: config.limits.maxContacts }),
    hub,
    admission: new Admission({ limits: config.limits, openFiles: Number.POSITIVE_INFINITY, onRefusal: () => {} }),
    trustedProxies: 0,
    corsOrigins: [],
    metricsToken: undefined,
    metrics,
    logger,
    warnings: () => [],
    webAppFolder: "/nonexistent",
  });
  const routes = routesIn(layersOf(app.router));
  hub.close();
  await parts.close();
  return routes;
}

function layersOf(router: IRouter): readonly Layer[] {
  return router.stack as unknown as readonly Layer[];
}

function routesIn(layers: readonly Layer[]): string[] {
  return layers.flatMap(({ route, handle, slash }) => {
    if (route) return namesOf(route);
    if (!slash) throw new Error("a handler that is not a route is mounted on a path");
    return handle.stack ? routesIn(handle.stack) : [];
  });
}

function namesOf({ path, methods }: NonNullable<Layer["route"]>): string[] {
  const paths = [path].flat() as (string | RegExp)[];
  const names = Object.keys(methods).filter((method) => method !== "_all");
  return paths.flatMap((each) => names.map((method) => `${method.toUpperCase()} ${each}`));
}
