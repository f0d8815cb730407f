import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { attempt } from "./attempt.mjs";
import { cache } from "./checkout.mjs";
import { runQuietly } from "./child.mjs";
import { debianInstaller } from "./debian.mjs";
import { PlainError } from "./plain-error.mjs";
import { playwrightChromium, playwrightCli } from "./playwright.mjs";

const DOWNLOAD_LIMIT_MS = 120_000;
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
  // Ubuntu's package of the same name only points to a snap.
  const install = await debianInstaller({ orKin: false });
  if (install === undefined) {
    return undefined;
  }
  await attempt("Installing Debian's Chromium", problems, () => install(["chromium", "fonts-liberation"]));
  return findSystems();
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
