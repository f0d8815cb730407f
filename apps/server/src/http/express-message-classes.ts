import { IncomingMessage, type ServerOptions, ServerResponse } from "node:http";
import type { Express } from "express";

export type MessageClasses = Pick<ServerOptions, "IncomingMessage" | "ServerResponse">;

/**
 * Classes by which Node.js makes requests and responses that are Express's from birth.
 *
 * Otherwise Express gives each of them another prototype, and V8 then keeps a shape of its own for each: 2 kB for as
 * long as a stream is open, and slow ways to every property.
 */
export function expressMessageClasses(app: Express): MessageClasses {
  class ExpressRequest extends IncomingMessage {}
  class ExpressResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {}
  Object.setPrototypeOf(ExpressRequest.prototype, app.request);
  Object.setPrototypeOf(ExpressResponse.prototype, app.response);
  Object.assign(app, { request: ExpressRequest.prototype, response: ExpressResponse.prototype });
  return { IncomingMessage: ExpressRequest, ServerResponse: ExpressResponse };
}
