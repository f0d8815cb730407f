import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Builds the libraries before the tests, because the tests run the build output. */
export function setup(): void {
  execFileSync(process.execPath, [fileURLToPath(new URL("../build.mjs", import.meta.url))], { stdio: "inherit" });
}
