import { build } from "esbuild";

// One file out of our own sources; packages are loaded from node_modules as they are.
await build({
  entryPoints: ["src/main.ts"],
  outfile: "dist/main.js",
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "esm",
  packages: "external",
  alias: {
    "@presence/protocol": "../../packages/protocol/src/index.ts",
    "@presence/gears": "../../gears/src/index.ts",
  },
  sourcemap: true,
  logLevel: "warning",
});
