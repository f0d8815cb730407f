import { expect, it } from "vitest";
import { createDemultiplexer } from "./demultiplexer.ts";

const channel = (number: number) => ({ event: "channel", data: JSON.stringify({ channel: number }) });
const presence = (client: string, id: string) => ({
  event: "presence",
  id,
  data: JSON.stringify({ client, status: "ONLINE", since: 1 }),
});

it("assigns each message to the last named channel", () => {
  const demultiplex = createDemultiplexer(2);
  const messages = [channel(1), presence("omar", "a.1"), presence("magali", "a.2"), channel(0), presence("omar", "a.1")]
    .map(demultiplex)
    .filter((message) => message !== undefined);
  expect(messages.map((message) => [message.channel, message.id])).toEqual([
    [1, "a.1"],
    [1, "a.2"],
    [0, "a.1"],
  ]);
});

it("assigns a stale message to its channel", () => {
  const demultiplex = createDemultiplexer(2);
  expect(demultiplex({ event: "stale", data: '{"at":7}' })).toBeUndefined();
  demultiplex(channel(1));
  expect(demultiplex({ event: "stale", data: '{"at":7}' })).toMatchObject({ channel: 1, kind: "stale", atMs: 7 });
});

it("ends the named channel without switching to it", () => {
  const demultiplex = createDemultiplexer(2);
  demultiplex(channel(0));
  const problem = { type: "about:blank", title: "No", status: 401, detail: "No." };
  expect(demultiplex({ event: "channel-end", data: JSON.stringify({ channel: 1, problem }) })).toMatchObject({
    channel: 1,
    kind: "end",
    problem,
  });
  expect(demultiplex(presence("omar", "a.3"))).toMatchObject({ channel: 0 });
});

it("ignores unknown channels, unknown events and invalid data", () => {
  const demultiplex = createDemultiplexer(1);
  expect(demultiplex(presence("omar", "a.1"))).toBeUndefined();
  demultiplex(channel(7));
  expect(demultiplex(presence("omar", "a.1"))).toBeUndefined();
  demultiplex(channel(0));
  expect(demultiplex({ event: "weather", data: "{}" })).toBeUndefined();
  expect(demultiplex({ event: "presence", data: "{" })).toBeUndefined();
});
