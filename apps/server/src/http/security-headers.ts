import type { RequestHandler } from "express";
import helmet from "helmet";

const SELF = ["'self'"];
const NONE = ["'none'"];

/**
 * The web app loads nothing from elsewhere and runs nothing inline; it may frame itself, as the demo page does.
 *
 * TLS is the business of the proxy in front, and so is telling browsers to insist on it.
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
