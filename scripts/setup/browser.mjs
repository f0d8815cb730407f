import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { cache } from "./checkout.mjs";
import { runQuietly } from "./child.mjs";
import { PlainError } from "./plain-error.mjs";
import { playwrightChromium, playwrightCli } from "./playwright.mjs";
import { progress } from "./progress.mjs";

const DOWNLOAD_LIMIT_MS = 120_000;
const INSTALL_LIMIT_MS = 300_000;
/** Killing it halfway leaves the system's packages for somebody to repair. */
const PACKAGE_MANAGER_GRACE_MS = 20_000;
const LAUNCH_LIMIT_MS = 30_000;
const FAILED_DOWNLOAD_COUNTS_FOR_MS = 24 * 60 * 60_000;
const FAILED_DOWNLOAD = join(cache, "browser-download-failed");

const NO_BROWSER =
  "There is no browser for the tests: Playwright's own can't be had, no Chromium or Chrome is installed, and it can't be " +
  "installed from here. Install Chromium (on Debian: sudo apt-get install chromium), or name one in CHROMIUM_PATH.";

const TEST_TEXT = "<p>it starts</p>";
const TEST_PAGE = `data:text/html,${TEST_TEXT}`;

const NAMES_ON_PATH = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const MACOS_APPLICATIONS = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/**
 * Finds a Chromium that starts, or gets one: the one that CHROMIUM_PATH names, else Playwright's own (downloaded if
 * need be), else the system's, else Debian's package where we may install it.
 * @returns {Promise<{ CHROMIUM_PATH: string }>} for the environment of what drives the browser. Throws a PlainError.
 */
export async function findBrowser() {
  const named = process.env["CHROMIUM_PATH"];
  if (named) {
    const problem = await launchProblem(named);
    if (problem !== undefined) {
      throw new PlainError(`CHROMIUM_PATH is ${named}, which does not start as a browser: ${problem}`);
    }
    return { CHROMIUM_PATH: named };
  }
  /** @type {string[]} */
  const problems = [];
  const path = (await findPlaywrights(problems)) ?? (await findSystems()) ?? (await installDebians(problems));
  if (path === undefined) {
    await rm(FAILED_DOWNLOAD, { force: true });
    throw new PlainError([NO_BROWSER, ...problems].join("\n\n"));
  }
  console.log(`The browser is ${path}`);
  return { CHROMIUM_PATH: path };
}

/**
 * @param {string[]} problems gets what went wrong
 * @returns {Promise<string | undefined>} the path of Playwright's own Chromium
 */
async function findPlaywrights(problems) {
  const path = playwrightChromium();
  if ((await launchProblem(path)) === undefined) {
    return path;
  }
  if (await failedToDownloadLately()) {
    return undefined;
  }
  await attempt("Downloading a browser", problems, () =>
    runQuietly(process.execPath, [playwrightCli(), "install", "chromium", "--no-shell"], {
      timeoutMs: DOWNLOAD_LIMIT_MS,
    }),
  );
  if ((await launchProblem(path)) === undefined) {
    return path;
  }
  await writeFile(FAILED_DOWNLOAD, "Playwright's browser could not be downloaded, or does not start on this system.\n");
  return undefined;
}

async function failedToDownloadLately() {
  try {
    const { mtimeMs } = await stat(FAILED_DOWNLOAD);
    return Date.now() - mtimeMs < FAILED_DOWNLOAD_COUNTS_FOR_MS;
  } catch {
    return false;
  }
}

/** @returns {Promise<string | undefined>} the path of a Chromium or Chrome that is installed on this system */
async function findSystems() {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
  const onPath = NAMES_ON_PATH.flatMap((name) => folders.map((folder) => join(folder, name)));
  for (const path of [...onPath, ...MACOS_APPLICATIONS]) {
    if ((await launchProblem(path)) === undefined) {
      return path;
    }
  }
  return undefined;
}

/**
 * @param {string[]} problems gets what went wrong
 * @returns {Promise<string | undefined>} the path of Debian's Chromium, freshly installed
 */
async function installDebians(problems) {
  const prefix = await rootCommandPrefix();
  // Ubuntu's package of the same name only points to a snap.
  if (prefix === undefined || !(await isDebian())) {
    return undefined;
  }
  await attempt("Installing Debian's Chromium", problems, async () => {
    const aptGet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=60"];
    await runAsRoot(prefix, [...aptGet, "update"]);
    return runAsRoot(prefix, [
      ...aptGet,
      "install",
      "--yes",
      "--no-install-recommends",
      "chromium",
      "fonts-liberation",
    ]);
  });
  return findSystems();
}

/**
 * Shows how it goes; whether there is a browser then is for the next step to tell.
 * @param {string} doing
 * @param {string[]} problems gets what went wrong
 * @param {() => Promise<import("./child.mjs").Result>} run
 */
async function attempt(doing, problems, run) {
  try {
    await progress(doing, async () => {
      const { ok, output } = await run();
      if (!ok) {
        throw new PlainError(output.trim());
      }
    });
  } catch (error) {
    problems.push(`${doing}: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * @param {readonly string[]} prefix
 * @param {readonly string[]} command
 */
async function runAsRoot(prefix, command) {
  const [file = "", ...args] = [...prefix, ...command];
  return runQuietly(file, args, { timeoutMs: INSTALL_LIMIT_MS, graceMs: PACKAGE_MANAGER_GRACE_MS });
}

/** @returns {Promise<string[] | undefined>} what to put before a command to run it as root; undefined if we may not */
async function rootCommandPrefix() {
  if (process.getuid?.() === 0) {
    return [];
  }
  const { ok } = await runQuietly("sudo", ["-n", "true"]);
  return ok ? ["sudo", "-n"] : undefined;
}

async function isDebian() {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^ID="?debian"?$/m.test(release);
}

/**
 * Whether a browser starts can't be told from its file: system libraries may lack, and Ubuntu has a stub of that name.
 * @param {string} path
 * @returns {Promise<string | undefined>} why it does not start
 */
async function launchProblem(path) {
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile) {
    return "there is no such file";
  }
  const profile = await mkdtemp(join(tmpdir(), "presence-browser-"));
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const args = ["--headless", "--disable-gpu", ...sandbox, `--user-data-dir=${profile}`, "--dump-dom", TEST_PAGE];
  const { output } = await runQuietly(path, args, { timeoutMs: LAUNCH_LIMIT_MS });
  await rm(profile, { recursive: true, force: true, maxRetries: 3 });
  return output.includes(TEST_TEXT) ? undefined : output.trim() || "it shows no page";
}
