import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { FIRST_LOAD_LIMIT_BYTES, measureFirstLoad } from "../bench/browser/first-load.ts";
import { root } from "./setup/checkout.mjs";

/** The app as it is built and served. */
const WEB_APP = join(root, "apps/web/dist");

it("loads at most 120 kB of compressed scripts at first", async () => {
  const { scripts, gzipBytes } = await measureFirstLoad(WEB_APP);
  expect(scripts).toEqual(
    expect.arrayContaining([
      "theme.js",
      expect.stringMatching(/^assets\/index-.+\.js$/),
      expect.stringMatching(/^assets\/worker-.+\.js$/),
    ]),
  );
  expect(gzipBytes).toBeLessThanOrEqual(FIRST_LOAD_LIMIT_BYTES);
});

it("contains each script, style and page compressed by gzip and brotli", () => {
  const names = readdirSync(WEB_APP, { recursive: true, encoding: "utf8" });
  const texts = names.filter((name) => /\.(?:css|html|js)$/.test(name));
  expect(texts).toEqual(expect.arrayContaining(["index.html", expect.stringMatching(/\.css$/)]));
  for (const name of texts) {
    const content = readFileSync(join(WEB_APP, name));
    expect(gunzipSync(readFileSync(join(WEB_APP, `${name}.gz`)))).toEqual(content);
    expect(brotliDecompressSync(readFileSync(join(WEB_APP, `${name}.br`)))).toEqual(content);
  }
});
