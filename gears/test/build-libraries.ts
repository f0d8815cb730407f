import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The tests run what is built: so it is built of the present sources before them. */
export function setup(): void {
  execFileSync(process.execPath, [fileURLToPath(new URL("../build.mjs", import.meta.url))], { stdio: "inherit" });
}
