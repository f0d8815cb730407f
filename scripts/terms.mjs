// node scripts/terms.mjs: part of `npm run lint`. Reports words and names that have a better-known term.
import { findBannedTerms } from "./terms/banned-terms.mjs";

const found = findBannedTerms(process.cwd());
for (const { file, line, match, use } of found) {
  console.log(`${file}:${line}: "${match}" → ${use}`);
}
process.exitCode = found.length > 0 ? 1 : 0;
