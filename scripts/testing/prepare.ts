import { prepare } from "../setup/prepare.mjs";

/** The tests measure the built web app and start the built programs. */
export default prepare;
