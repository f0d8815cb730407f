import { describe, expect, it } from "vitest";
import { parseStreamMessage } from "./messages.ts";

const magali = { client: "magali", status: "ONLINE", since: 5 };
const problem = { type: "about:blank", title: "Unauthorized", status: 401, detail: "Sign in again." };

describe("parseStreamMessage", () => {
  it.each([
    ["snapshot", { at: 7, contacts: [magali] }],
    ["snapshot", { at: 7, contacts: [] }],
    ["presence", magali],
    ["stale", { at: 7 }],
    ["channel", { channel: 3 }],
    ["channel-end", { channel: 3, problem }],
  ])("parses %s messages", (event, data) => {
    expect(parseStreamMessage(event, JSON.stringify(data))).toEqual({ event, data });
  });

  it.each([
    ["snapshot", '{"at":7}'],
    ["snapshot", '{"at":"7","contacts":[]}'],
    ["snapshot", '{"at":7,"contacts":[{"client":"a b","status":"ONLINE","since":5}]}'],
    ["presence", '{"client":"magali","status":"AWAY","since":5}'],
    ["presence", '{"client":"magali","status":"ONLINE"}'],
    ["presence", "null"],
    ["presence", "{"],
    ["stale", "{}"],
    ["stale", '{"at":null}'],
    ["channel", '{"channel":"3"}'],
    ["channel-end", '{"channel":3}'],
    ["something-new", "{}"],
    [undefined, "{}"],
  ])("ignores %s %s", (event, data) => {
    expect(parseStreamMessage(event, data)).toBeUndefined();
  });
});
