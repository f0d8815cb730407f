import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import express, { type RequestHandler, type Response, Router } from "express";
import { plainProblem } from "./http-problem.ts";

/** Pages of the web app; it finds its way by itself from the path. */
const PAGES = ["/", "/demo"];

/** How the build has compressed files, beside those that it hasn't, the smallest first. */
const CODINGS: readonly Coding[] = [
  { name: "br", extension: ".br" },
  { name: "gzip", extension: ".gz" },
];

interface Coding {
  /** As `Accept-Encoding` has it. */
  name: string;
  /** What is added to a file's name. */
  extension: string;
}

/**
 * The web app's built files, compressed where the build did that and the reader takes it. A file under `/assets/` has its
 * hash in its name and never changes; all others are revalidated at each use.
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
  for (const coding of CODINGS) router.use(compressedFiles(folder, coding));
  router.use(files(folder, setHeaders));
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

function files(folder: string, setHeaders: (response: Response, path: string) => void): RequestHandler {
  return express.static(folder, { index: false, cacheControl: false, redirect: false, setHeaders });
}

/** Serves the compressed file beside the one that is asked for, if there is one. */
function compressedFiles(folder: string, { name, extension }: Coding): RequestHandler {
  const serve = files(folder, (response, path) => {
    const uncompressed = path.slice(0, -extension.length);
    setHeaders(response, uncompressed);
    response.setHeader("Content-Encoding", name);
    response.type(extname(uncompressed));
  });
  return (request, response, next) => {
    if (!request.acceptsEncodings(name)) {
      next();
      return;
    }
    const { url } = request;
    const [path, ...query] = url.split("?");
    request.url = [`${path}${extension}`, ...query].join("?");
    serve(request, response, (error?: unknown) => {
      request.url = url;
      // What can't be had of the file, a range beyond its end for one, is told in plain words.
      response.removeHeader("Content-Encoding");
      next(error);
    });
  };
}

function setHeaders(response: Response, path: string): void {
  const isImmutable = /[\\/]assets[\\/]/.test(path);
  response.setHeader("Cache-Control", isImmutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.vary("Accept-Encoding");
}
