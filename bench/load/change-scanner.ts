const OPENING_BRACE = "{".charCodeAt(0);
const HEAD = Buffer.from('{"client":"colleague-');
const DIGITS = 5;
const FIRST_DIGIT = "0".charCodeAt(0);
const STATUS_AT = HEAD.length + DIGITS + '","status":"O'.length;
const OF_ONLINE = "N".charCodeAt(0);

/**
 * Finds out whose change each presence event tells of, and no more, as it reads a hundred thousand a second: of
 * `{"client":"colleague-00042","status":"ONLINE"…`, in whatever it is wrapped, and however its bytes come divided, that
 * number 42 is online.
 */
export class ChangeScanner {
  readonly #onChange: (colleague: number, isOnline: boolean) => void;
  /** The beginning of an object, whose end hasn't come yet. */
  #begun: Buffer | undefined;

  constructor(onChange: (colleague: number, isOnline: boolean) => void) {
    this.#onChange = onChange;
  }

  /** @param bytes not kept: they may be written over afterwards */
  scan(bytes: Buffer): void {
    const text = this.#begun ? Buffer.concat([this.#begun, bytes]) : bytes;
    this.#begun = undefined;
    for (let at = text.indexOf(OPENING_BRACE); at !== -1; at = text.indexOf(OPENING_BRACE, at + 1)) {
      if (at + STATUS_AT >= text.length) {
        this.#begun = Buffer.from(text.subarray(at));
        return;
      }
      if (text.compare(HEAD, 0, HEAD.length, at, at + HEAD.length) !== 0) continue;
      let colleague = 0;
      for (let digit = 0; digit < DIGITS; digit++) {
        colleague = 10 * colleague + (text[at + HEAD.length + digit] ?? 0) - FIRST_DIGIT;
      }
      this.#onChange(colleague, text[at + STATUS_AT] === OF_ONLINE);
    }
  }
}
