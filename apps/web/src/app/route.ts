import { type ClientId, isClientId } from "@presence/protocol";

/** How a page inside the demo page connects: by itself, or with all others. */
export type FrameConnection = "own" | "shared";

export type Route =
  | { kind: "sign-in" }
  | { kind: "client"; client: ClientId; frame: FrameConnection | undefined }
  | { kind: "wrong-id"; id: string }
  | { kind: "demo" }
  | { kind: "unknown" };

/** What an address asks for. */
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
