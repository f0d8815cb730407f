import type { RequestHandler } from "express";
import helmet from "helmet";

const SELF = ["'self'"];
const NONE = ["'none'"];

/**
 * Security headers. The web app loads nothing from other origins and has no inline scripts. It may frame itself, because
 * the demo page does.
 *
 * The reverse proxy terminates TLS, so it also sends `Strict-Transport-Security`.
 */
export function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: SELF,
        scriptSrc: SELF,
        styleSrc: SELF,
        fontSrc: SELF,
        imgSrc: [...SELF, "data:"],
        connectSrc: SELF,
        workerSrc: SELF,
        frameSrc: SELF,
        frameAncestors: SELF,
        objectSrc: NONE,
        baseUri: NONE,
        formAction: SELF,
      },
    },
    strictTransportSecurity: false,
  });
}
