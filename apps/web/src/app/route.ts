import { type ClientId, isClientId } from "@presence/protocol";

/** How a client in a frame of the demo page connects: with its own connection, or with the browser's shared one. */
export type FrameConnection = "own" | "shared";

export type Route =
  | { kind: "sign-in" }
  | { kind: "client"; client: ClientId; frame: FrameConnection | undefined }
  | { kind: "wrong-id"; id: string }
  | { kind: "demo" }
  | { kind: "unknown" };

/** The route of an address. */
export function parseRoute({ pathname, search }: { pathname: string; search: string }): Route {
  if (pathname === "/demo" || pathname === "/demo/") return { kind: "demo" };
  if (pathname !== "/") return { kind: "unknown" };
  const query = new URLSearchParams(search);
  const id = query.get("as");
  if (id === null) return { kind: "sign-in" };
  if (!isClientId(id)) return { kind: "wrong-id", id };
  const frame = query.get("frame");
  return { kind: "client", client: id, frame: frame === "own" || frame === "shared" ? frame : undefined };
}
