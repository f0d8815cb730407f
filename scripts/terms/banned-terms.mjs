import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What to use instead of a word. Keys are the sources of regular expressions, and match whole words in any case. */
const BANNED = {
  "whom|whomever|whoever": "name the client, connection or server",
  "somebody|nobody|anybody|everybody": "name the client, connection, server or user",
  "another hand": "an external client",
  "by hand": "manually",
  "one's own": "its own, or leave it out",
  "those who": "name them: clients, viewers, servers",
  "work(s|ed|ing)? off|work(ed)?Off": "process, drain",
  "(keep|keeps|kept|keeping) ?house|housekeeping": "maintenance, runMaintenance",
  "(begin|begins|began|beginning) ?anew": "resync, restart",
  anew: "again",
  "known holes?": "known vulnerabilities",
  scissors: "simulated network loss",
  provableFrom: "completeSince",
  "readTold|untilTold": "readAfterDelivery, waitForDelivery",
  answerOf: "unwrapReply",
  clearForStream: "deleteIfWrongType",
  agreeWithLeases: "reconcileWithLeases",
  wordsOf: "buildXaddArgs",
  sayInterest: "syncInterest",
  "mostMs|mostWhenLateMs": "maxDelayMs, maxDelayUnderLagMs",
  "WINDOW_OF_LATENESS|MOST_OF_A_TURN_MS": "LAG_FRACTION, FLUSH_SLICE_MS",
  "noteHomes|anotherHome|homesKey": "recordHolders, findOtherHolder, holdersKey",
  "contestants?": "peers",
};

/** @type {readonly { file: string, match: string, reason: string }[]} */
const ALLOWED = [
  { file: "apps/web/src/features/contacts/contact-list.tsx", match: "Nobody", reason: "UI text for an empty list" },
  { file: "apps/web/src/features/contacts/contacts-panel.tsx", match: "Nobody", reason: "UI text for an empty list" },
  { file: "e2e/journeys/paused-sorting.spec.ts", match: "Nobody", reason: "expects this UI text" },
];

const SKIPPED =
  /^(node_modules|dist|data|\.git|\.cache|\.npmrc|test-results|playwright-report|package-lock\.json|terms)$/;
const TEXT_FILES = /\.(ts|tsx|mjs|md|json|yml|yaml|conf|html|css|acl|sh)$|^(Dockerfile|run)$/;
const PATTERNS = Object.entries(BANNED).map(([source, use]) => ({
  pattern: new RegExp(`\\b(?:${source})\\b`, "gi"),
  use,
}));

/** @typedef {{ line: number, match: string, use: string }} Finding */

/**
 * @param {string} folder an absolute path
 * @returns {(Finding & { file: string })[]} the banned terms in all text files below the folder
 */
export function findBannedTerms(folder) {
  return listFiles(folder, "").flatMap((file) =>
    findInText(readFileSync(join(folder, file), "utf8"))
      .filter(({ match }) => !ALLOWED.some((allowed) => allowed.file === file && allowed.match === match))
      .map((finding) => ({ file, ...finding })),
  );
}

/**
 * @param {string} text
 * @returns {Finding[]} with line numbers from 1
 */
export function findInText(text) {
  return text
    .split("\n")
    .flatMap((line, index) =>
      PATTERNS.flatMap(({ pattern, use }) =>
        [...line.matchAll(pattern)].map(([match]) => ({ line: index + 1, match, use })),
      ),
    );
}

/**
 * @param {string} folder
 * @param {string} below
 * @returns {string[]}
 */
function listFiles(folder, below) {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (SKIPPED.test(entry.name)) {
      return [];
    }
    if (entry.isDirectory()) {
      return listFiles(folder, path);
    }
    return TEXT_FILES.test(entry.name) ? [path] : [];
  });
}
