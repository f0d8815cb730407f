// npm run licences: writes docs/licences.md.
import { readFileSync, writeFileSync } from "node:fs";
import { licencesPage, shippedPackages } from "./supply/licences.mjs";

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
writeFileSync("docs/licences.md", licencesPage(shippedPackages(lock)));
