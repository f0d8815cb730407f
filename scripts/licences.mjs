import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./setup/checkout.mjs";
import { runCommand } from "./setup/entry.mjs";
import { licencesPage, shippedPackages } from "./supply/shipped.mjs";

runCommand(async () => {
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8"));
  await writeFile(join(root, "docs/licences.md"), licencesPage(shippedPackages(lock)));
});
