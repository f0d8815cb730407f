/**
 * RESP3 as Redis 7 uses it. Integers become BigInt, maps `Map`, sets `Set`, doubles numbers, errors `{ error }`, and
 * strings that are not UTF-8 `Uint8Array`.
 *
 * Redis 7.0 sends push messages that a transaction causes in the middle of the reply of `EXEC`.
 */

const CR_LF = "\r\n";
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @param {readonly string[]} command */
export function encode(command) {
  const parts = [`*${command.length}${CR_LF}`];
  for (const word of command) parts.push(`$${Buffer.byteLength(word)}${CR_LF}${word}${CR_LF}`);
  return parts.join("");
}

/**
 * @typedef {{ kind: "reply" | "push", value: unknown }} Message
 */

/** Thrown if a message is incomplete; caught in `read`. */
const INCOMPLETE = Symbol("incomplete");

export class Decoder {
  #bytes = Buffer.alloc(0);
  #at = 0;
  /** @type {Message[]} */
  #pushes = [];

  /**
   * @param {Buffer} bytes
   * @returns {Message[]} the messages that are complete, in order
   */
  read(bytes) {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    /** @type {Message[]} */
    const messages = [];
    for (;;) {
      this.#at = 0;
      this.#pushes = [];
      try {
        const message = this.#readMessage();
        messages.push(...this.#pushes, message);
        this.#bytes = this.#bytes.subarray(this.#at);
      } catch (error) {
        if (error !== INCOMPLETE) throw error;
        return messages;
      }
    }
  }

  /** @returns {Message} */
  #readMessage() {
    const isPush = this.#peek() === ">";
    return { kind: isPush ? "push" : "reply", value: this.#readValue() };
  }

  #peek() {
    if (this.#at >= this.#bytes.length) throw INCOMPLETE;
    return String.fromCharCode(this.#bytes[this.#at] ?? 0);
  }

  /** @returns {unknown} */
  #readValue() {
    const type = this.#peek();
    const line = this.#readLine();
    switch (type) {
      case "+":
        return line;
      case "-":
        return { error: line };
      case ":":
        return BigInt(line);
      case ",":
        return Number(line.replace("inf", "Infinity"));
      case "#":
        return line === "t";
      case "_":
        return null;
      case "(":
        return line;
      case "$":
        return this.#readBulk(Number(line));
      case "=":
        return this.#readVerbatim(Number(line));
      case "!":
        return { error: this.#readBulk(Number(line)) };
      case "*":
      case ">":
        return this.#readElements(Number(line));
      case "~":
        return new Set(this.#readElements(Number(line)));
      case "%":
        return this.#readMap(Number(line));
      default:
        throw new Error(`Redis sent a reply of unknown type ${type}`);
    }
  }

  #readLine() {
    const end = this.#bytes.indexOf(CR_LF, this.#at);
    if (end === -1) throw INCOMPLETE;
    const line = this.#bytes.toString("utf8", this.#at + 1, end);
    this.#at = end + CR_LF.length;
    return line;
  }

  /** @param {number} length */
  #readBulk(length) {
    if (length < 0) return null;
    const end = this.#at + length;
    if (end + CR_LF.length > this.#bytes.length) throw INCOMPLETE;
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end + CR_LF.length;
    try {
      return decoder.decode(bytes);
    } catch {
      return new Uint8Array(bytes);
    }
  }

  /** @param {number} length */
  #readVerbatim(length) {
    const text = this.#readBulk(length);
    return typeof text === "string" ? text.slice("txt:".length) : text;
  }

  /**
   * @param {number} count
   * @returns {unknown[] | null}
   */
  #readElements(count) {
    if (count < 0) return null;
    const elements = [];
    while (elements.length < count) {
      if (this.#peek() === ">") this.#pushes.push(this.#readMessage());
      else elements.push(this.#readValue());
    }
    return elements;
  }

  /** @param {number} count */
  #readMap(count) {
    const flat = this.#readElements(2 * count) ?? [];
    const map = new Map();
    for (let index = 0; index < flat.length; index += 2) map.set(flat[index], flat[index + 1]);
    return map;
  }
}
