import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import express, { type RequestHandler, type Response, Router } from "express";
import { plainProblem } from "./http-problem.ts";

/** Paths that the web app routes itself. */
const PAGES = ["/", "/demo"];

/** Encodings of the compressed files that the build writes beside the originals; best compression first. */
const ENCODINGS: readonly Encoding[] = [
  { name: "br", extension: ".br" },
  { name: "gzip", extension: ".gz" },
];

interface Encoding {
  /** The name in `Accept-Encoding`. */
  name: string;
  /** The suffix of a compressed file's name. */
  extension: string;
}

/**
 * Serves the built web app, compressed if the build wrote a compressed file and the client accepts it. A file under
 * `/assets/` has a hash in its name and never changes. Caches must revalidate all other files.
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
  for (const encoding of ENCODINGS) router.use(compressedFiles(folder, encoding));
  router.use(files(folder, setHeaders));
  // For an unknown path, the web app shows a page to a browser. A program gets a problem.
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

/** Serves the compressed variant of the requested file, if there is one. */
function compressedFiles(folder: string, { name, extension }: Encoding): RequestHandler {
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
      // An error (such as a range beyond the end) is answered with an uncompressed problem.
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
