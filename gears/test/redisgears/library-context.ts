import { createContext, runInContext, Script } from "node:vm";

/**
 * The globals that RedisGears 2 allows a library to use, from its own list. `console`, `Promise` and `WebAssembly` are
 * missing: RedisGears changes them or this library does not need them.
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

/** The constructors of the library's realm. Values that are passed to the library must be created with them. */
export interface Realm {
  Array: ArrayConstructor;
  Object: ObjectConstructor;
  Set: SetConstructor;
  JSON: JSON;
}

/** A realm to run a library in, with the JavaScript that RedisGears allows and without Node.js APIs. */
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

  /** @param redis the global `redis` of the code */
  run(code: string, redis: object): void {
    Object.defineProperty(this.#context, "redis", { value: redis });
    new Script(code, { filename: "library.js" }).runInContext(this.#context);
  }
}
