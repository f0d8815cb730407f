import { IncomingMessage, type ServerOptions, ServerResponse } from "node:http";
import type { Express } from "express";

export type MessageClasses = Pick<ServerOptions, "IncomingMessage" | "ServerResponse">;

/**
 * Classes for `http.createServer` whose instances already have Express's prototypes.
 *
 * Otherwise Express replaces the prototype of each request and response. V8 then creates a hidden class per object,
 * which costs 2 kB per open stream and makes property access slow.
 */
export function expressMessageClasses(app: Express): MessageClasses {
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {}
  Object.setPrototypeOf(ExpressRequest.prototype, app.request);
  Object.setPrototypeOf(ExpressResponse.prototype, app.response);
  Object.assign(app, { request: ExpressRequest.prototype, response: ExpressResponse.prototype });
  return { IncomingMessage: ExpressRequest, ServerResponse: ExpressResponse };
}
