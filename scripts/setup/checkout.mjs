import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The absolute path of this checkout. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where the commands keep what they may lose: stamps, reports. */
export const cache = join(root, ".cache");
