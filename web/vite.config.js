import { svelte } from "@sveltejs/vite-plugin-svelte";
import { resolve } from "node:path";
import { defineConfig } from "vite";

// `npm run dev` serves the sources and passes the rest to a running process (or to `npm run mock`).
const process_address = process.env.TELEHAND_ADDRESS ?? "http://127.0.0.1:8100";

export default defineConfig({
  plugins: [svelte()],
  base: "/",
  build: {
    outDir: "../crates/pages/dist",
    emptyOutDir: true,
    target: "es2022",
    // the pages' content policy lets no data: script or font through
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "shared", test: /src\/lib\/(?!ortho)|node_modules\/svelte\//, priority: 2 },
            { name: "spine", test: /src\/lib\/ortho\//, priority: 1 },
          ],
        },
      },
      input: {
        console: resolve(import.meta.dirname, "console.html"),
        bedside: resolve(import.meta.dirname, "bedside.html"),
        planner: resolve(import.meta.dirname, "planner.html"),
        site: resolve(import.meta.dirname, "site.html"),
        alliance: resolve(import.meta.dirname, "alliance.html"),
      },
    },
  },
  worker: { format: "es" },
  server: {
    host: "127.0.0.1",
    proxy: {
      "/api": { target: process_address },
      "/ws": { target: process_address, ws: true },
    },
  },
});
