// npm run advisories: asks the registry for known vulnerabilities in the installed packages. Its exit status is 1 for one of
// high severity, and 2 if the registry gives no answer.
import { spawnSync } from "node:child_process";
import { npm } from "./setup/child.mjs";
import { describeAdvisories } from "./supply/advisories.mjs";

const LIMIT_MS = 60_000;
const [file, args] = npm("audit", "--json");
const { stdout, stderr } = spawnSync(file, args, { encoding: "utf8", timeout: LIMIT_MS });
const { text, exitStatus } = describeAdvisories(`${stdout}\n${stderr}`);
console.log(text);
process.exitCode = exitStatus;
