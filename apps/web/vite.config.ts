import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { compress } from "./compress.ts";

export default defineConfig({
  plugins: [react(), compress()],
  worker: { format: "es" },
  build: {
    // The server's content security policy doesn't allow fonts and scripts in data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // A test limits the compressed size instead (scripts/first-load.test.ts).
    chunkSizeWarningLimit: 1_000,
    // No advice on the speed of the build: npm start shows what the build prints.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  server: {
    proxy: { "/api": "http://localhost:8080" },
  },
});
