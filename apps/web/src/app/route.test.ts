import { expect, it } from "vitest";
import { parseRoute, type Route } from "./route.ts";

it.each<[string, Route]>([
  ["/", { kind: "sign-in" }],
  ["/?as=anouk", { kind: "client", client: "anouk", frame: undefined }],
  ["/?as=anouk&frame=own", { kind: "client", client: "anouk", frame: "own" }],
  ["/?as=anouk&frame=x", { kind: "client", client: "anouk", frame: undefined }],
  ["/?as=__proto__", { kind: "client", client: "__proto__", frame: undefined }],
  ["/?as=", { kind: "wrong-id", id: "" }],
  ["/?as=a%2Fb", { kind: "wrong-id", id: "a/b" }],
  ["/demo", { kind: "demo" }],
  ["/nowhere", { kind: "unknown" }],
])("%s", (address, route) => {
  expect(parseRoute(new URL(address, "http://localhost"))).toEqual(route);
});
