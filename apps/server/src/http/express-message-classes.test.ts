import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { expect, it, onTestFinished } from "vitest";
import { expressMessageClasses } from "./express-message-classes.ts";

it("creates requests and responses whose prototypes Express does not replace", async () => {
  const app = express();
  const prototypes: unknown[] = [];
  app.get("/", (request, response) => {
    prototypes.push(Object.getPrototypeOf(request), Object.getPrototypeOf(response));
    response.json({ path: request.path, isOurs: request.app === app && response.app === app });
  });
  const server = createServer(expressMessageClasses(app), (request, response) => {
    prototypes.push(Object.getPrototypeOf(request), Object.getPrototypeOf(response));
    app(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
  });

  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  expect(await response.json()).toEqual({ path: "/", isOurs: true });
  const [initialRequest, initialResponse, request, answer] = prototypes;
  expect(request).toBe(initialRequest);
  expect(answer).toBe(initialResponse);
});
