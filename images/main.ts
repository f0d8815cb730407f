/** Makes the images of the documentation: `npm run images`, or `npm run images -- redis-presence` for the drawing alone. */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { drawArchitecture } from "./draw-architecture.ts";
import { RunningApp } from "./running-app.ts";
import { openContacts, type Shot, shootDemo } from "./screenshots.ts";
import { filmThreeClients } from "./three-clients.ts";

const HEARTBEAT_INTERVAL_MS = 2_000;
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 780 };

const animation = pathOf("realtime-presence-1.gif");
const architecture = pathOf("redis-presence.png");
const demo: Shot = { path: pathOf("demo.png"), colorScheme: "light", ...DESKTOP };
const contacts: Shot[] = [
  { path: pathOf("contacts-light.png"), colorScheme: "light", ...DESKTOP },
  { path: pathOf("contacts-dark.png"), colorScheme: "dark", ...DESKTOP },
  { path: pathOf("contacts-phone.png"), colorScheme: "light", ...PHONE },
];

const executablePath = process.env["CHROMIUM_PATH"];
const browser = await chromium.launch({
  ...(executablePath && { executablePath }),
  chromiumSandbox: process.getuid?.() !== 0,
});
try {
  await drawArchitecture(browser, architecture);
  await printSize(architecture);
  if (!process.argv.includes(basename(architecture, ".png"))) await photographApp(browser);
} finally {
  await browser.close();
}

/** Makes the images of the running app. */
async function photographApp(browser: Browser): Promise<void> {
  // Two servers, so that clients of one image do not appear in another.
  const office = await RunningApp.start(HEARTBEAT_INTERVAL_MS);
  const stage = await RunningApp.start(HEARTBEAT_INTERVAL_MS);
  try {
    const shootContacts = await openContacts(browser, office, contacts);
    await filmThreeClients(browser, stage.url, animation);
    await shootDemo(browser, stage, demo);
    await shootContacts();
  } finally {
    await office.stop();
    await stage.stop();
  }
  for (const path of [animation, demo.path, ...contacts.map((shot) => shot.path)]) await printSize(path);
}

async function printSize(path: string): Promise<void> {
  const { size } = await stat(path);
  console.log(`images/${basename(path)}  ${Math.round(size / 1024)} KB`);
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
