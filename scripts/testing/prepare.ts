import { buildWorkspaces, findStaleWorkspaces } from "../setup/build.mjs";
import { isInstalled } from "../setup/install.mjs";

/** The tests measure the built web app and start the built programs. */
export default async function prepareBuild(): Promise<void> {
  if (!(await isInstalled())) throw new Error("node_modules does not fit package-lock.json. Run: npm install");
  const stale = findStaleWorkspaces();
  if (stale.length > 0) await buildWorkspaces(stale);
}
