/** One event of a stream, or its `retry:`. */
export interface Frame {
  id: string | undefined;
  event: string | undefined;
  data: string;
  retryMs: number | undefined;
}

/** Takes a stream apart as its text comes in, however divided. */
export class FrameReader {
  #rest = "";

  /** @returns the frames that have become complete; a frame of comments alone is among them, with nothing in it */
  take(text: string): Frame[] {
    const frames = (this.#rest + text).split("\n\n");
    this.#rest = frames.pop() ?? "";
    return frames.map(parseFrame);
  }
}

function parseFrame(text: string): Frame {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
  }
  const retry = fields.get("retry");
  return {
    id: fields.get("id"),
    event: fields.get("event"),
    data: fields.get("data") ?? "",
    retryMs: retry === undefined ? undefined : Number(retry),
  };
}
