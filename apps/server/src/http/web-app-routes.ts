import { existsSync } from "node:fs";
import { join } from "node:path";
import express, { type Response, Router } from "express";
import { plainProblem } from "./http-problem.ts";

/** Pages of the web app; it finds its way by itself from the path. */
const PAGES = ["/", "/demo"];

/**
 * The web app's built files. A file under `/assets/` has its hash in its name and never changes; all others are
 * revalidated at each use.
 */
export function webAppRoutes(folder: string): Router {
  const router = Router();
  router.get(PAGES, (request, _response, next) => {
    if (!existsSync(join(folder, "index.html"))) {
      throw plainProblem(503, "The web app has not been built. Run npm run build.");
    }
    request.url = "/index.html";
    next();
  });
  router.use(
    express.static(folder, { index: false, cacheControl: false, redirect: false, setHeaders: setCacheHeaders }),
  );
  // Who mistypes an address in a browser is told so by the app; a program gets its problem.
  router.get(/^\/(?!api\/)/, (request, response, next) => {
    if (request.accepts(["json", "html"]) !== "html" || !existsSync(join(folder, "index.html"))) next();
    else
      response
        .status(404)
        .set({ "Cache-Control": "no-store", Vary: "Accept" })
        .sendFile("index.html", { root: folder, cacheControl: false });
  });
  return router;
}

function setCacheHeaders(response: Response, path: string): void {
  const isImmutable = /[\\/]assets[\\/]/.test(path);
  response.setHeader("Cache-Control", isImmutable ? "public, max-age=31536000, immutable" : "no-cache");
}
