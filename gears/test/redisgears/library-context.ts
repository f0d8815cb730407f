import { createContext, runInContext, Script } from "node:vm";

/**
 * The globals that a RedisGears 2 library may use, by its own list; without `console`, `Promise` and `WebAssembly`,
 * which it has in a shape of its own, or of which a library like ours has no use.
 */
const ALLOWED = new Set(
  (
    "Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date RegExp Error " +
    "AggregateError RangeError ReferenceError SyntaxError TypeError URIError globalThis JSON Math Intl ArrayBuffer " +
    "Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array Float32Array Float64Array Uint8ClampedArray " +
    "BigUint64Array BigInt64Array DataView Map BigInt Set WeakMap WeakSet Proxy Reflect FinalizationRegistry WeakRef " +
    "decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape isFinite isNaN"
  ).split(" "),
);

/** The constructors of the library's own world: what it is given must be of them. */
export interface Realm {
  Array: ArrayConstructor;
  Object: ObjectConstructor;
  Set: SetConstructor;
  JSON: JSON;
}

/** A bare world to run a library in, with the JavaScript that RedisGears allows and nothing of Node.js. */
export class LibraryContext {
  readonly realm: Realm;
  readonly #context = createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });

  constructor() {
    this.realm = runInContext("({ Array, Object, Set, JSON })", this.#context) as Realm;
    const names = runInContext("Object.getOwnPropertyNames(globalThis)", this.#context) as string[];
    for (const name of names) {
      if (!ALLOWED.has(name)) runInContext(`delete globalThis[${JSON.stringify(name)}]`, this.#context);
    }
  }

  /** @param redis what the code finds under that name */
  run(code: string, redis: object): void {
    Object.defineProperty(this.#context, "redis", { value: redis });
    new Script(code, { filename: "library.js" }).runInContext(this.#context);
  }
}
