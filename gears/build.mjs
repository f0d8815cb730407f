import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";

// Builds two libraries from one source, JavaScript for RedisGears 2 and Lua for Redis Functions, and the trigger host.
const here = import.meta.dirname;
process.chdir(here);
mkdirSync("dist", { recursive: true });
await buildRedisGears();
await buildRedisFunctions();
await buildHost();

async function buildRedisGears() {
  await build({
    absWorkingDir: here,
    entryPoints: ["src/redisgears.ts"],
    outfile: "dist/presence.redisgears.js",
    bundle: true,
    format: "iife",
    target: "es2022",
    platform: "neutral",
    banner: { js: "#!js api_version=1.0 name=presence" },
    logLevel: "warning",
  });
}

/**
 * While a library loads, it can do little more than register functions. So this wraps the compiled bundle in a function that
 * runs at the first call, and registers each export.
 */
async function buildRedisFunctions() {
  const compiler = join(
    dirname(createRequire(import.meta.url).resolve("typescript-to-lua/package.json")),
    "dist/tstl.js",
  );
  execFileSync(process.execPath, [compiler, "-p", "tsconfig.lua.json"], { stdio: "inherit" });
  const bundle = readFileSync("dist/lua/presence.lua", "utf8");
  const library = [
    "#!lua name=presence",
    "local function load_library(...)",
    "local require",
    bundle,
    "end",
    "local library",
    ...(await exportsOf("src/redis-functions.ts")).map(registration),
  ];
  writeFileSync("dist/presence.lua", library.join("\n"));
}

/** Bundles the workspace's sources into one file. It imports npm packages from node_modules. */
async function buildHost() {
  await build({
    absWorkingDir: here,
    entryPoints: ["src/main.ts"],
    outfile: "dist/host.js",
    bundle: true,
    format: "esm",
    target: "node20.19",
    platform: "node",
    packages: "external",
    alias: { "@presence/protocol": "../packages/protocol/src/index.ts" },
    sourcemap: true,
    logLevel: "warning",
  });
}

/** @param {string} name */
function registration(name) {
  const flags = name === "version" ? ", flags = { 'no-writes', 'allow-stale' }" : "";
  return `redis.register_function{ function_name = "presence_${name}"${flags}, callback = function(keys, args)
  library = library or load_library()
  return library.${name}(keys, args)
end }`;
}

/** @param {string} file */
async function exportsOf(file) {
  const { metafile } = await build({
    absWorkingDir: here,
    entryPoints: [file],
    format: "esm",
    write: false,
    metafile: true,
    outdir: "dist",
  });
  return Object.values(metafile.outputs).flatMap((output) => output.exports);
}
