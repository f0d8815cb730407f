import { build } from "esbuild";

// Bundles the repository's sources into one file. Other packages are loaded from node_modules.
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
