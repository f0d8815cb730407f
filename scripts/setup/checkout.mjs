import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The absolute path of this checkout. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** For files that can be made again: stamps, reports. */
export const cache = join(root, ".cache");
