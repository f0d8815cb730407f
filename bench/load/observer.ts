import { get, type IncomingMessage } from "node:http";

export interface ObservedChange {
  client: string;
  status: "ONLINE" | "OFFLINE";
  /** By the server's clock, ms since the epoch. */
  since: number;
  /** When it came here, ms since the epoch. */
  arrivedAt: number;
  /** The stream's `id:` at the change. */
  eventId: string | undefined;
}

/** One reader who takes the stream apart, for what counting doesn't tell. */
export interface Observer {
  close(): void;
}

/** Calls `onChange` for each presence event; resolves when the stream has begun. */
export async function observe(
  port: number,
  path: string,
  onChange: (change: ObservedChange) => void,
): Promise<Observer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, agent: false, headers: { Accept: "text/event-stream" } }, resolve).once(
      "error",
      reject,
    );
  });
  let pending = "";
  response.setEncoding("utf8");
  response.on("error", () => {});
  response.on("data", (text: string) => {
    const arrivedAt = performance.timeOrigin + performance.now();
    const frames = (pending + text).split("\n\n");
    pending = frames.pop() ?? "";
    for (const frame of frames) {
      const change = parseFrame(frame, arrivedAt);
      if (change) onChange(change);
    }
  });
  return { close: () => response.destroy() };
}

function parseFrame(frame: string, arrivedAt: number): ObservedChange | undefined {
  const fields = new Map(frame.split("\n").map((line) => fieldOf(line)));
  if (fields.get("event") !== "presence") return undefined;
  const data = JSON.parse(fields.get("data") ?? "") as Pick<ObservedChange, "client" | "status" | "since">;
  return { ...data, arrivedAt, eventId: fields.get("id") };
}

function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
}
