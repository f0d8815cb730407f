/** A simple string of RESP2, such as `OK`: Lua sees it as `{ ok: "OK" }`, a client of Redis as a string. */
export class Status {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a command answers, as RESP2 has it: nil, integer, bulk string, status or array. Errors are thrown. */
export type Reply = null | number | string | Status | readonly Reply[];

export const OK = new Status("OK");

/** An error reply. The message begins with its code, such as `WRONGTYPE` or `ERR`. */
export class ReplyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ReplyError";
  }
}

export function wrongType(): ReplyError {
  return new ReplyError("WRONGTYPE Operation against a key holding the wrong kind of value");
}

export function syntaxError(): ReplyError {
  return new ReplyError("ERR syntax error");
}

function notAnInteger(): ReplyError {
  return new ReplyError("ERR value is not an integer or out of range");
}

/** @throws {ReplyError} where the text is no integer that Redis would take */
export function parseInteger(text: string | undefined): number {
  if (text === undefined || !/^-?(0|[1-9][0-9]{0,15})$/.test(text) || text === "-0") throw notAnInteger();
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw notAnInteger();
  return value;
}
