import { fileURLToPath } from "node:url";
import { defaultClientConditions, defineConfig, type UserConfig } from "vite";

const config: UserConfig = defineConfig({
  root: fileURLToPath(new URL("page", import.meta.url)),
  // Sluice's packages from their sources, as everything in this repository is run. Others need no such line.
  resolve: { conditions: ["@sluice/source", ...defaultClientConditions] },
  build: { outDir: "../dist", emptyOutDir: true },
});

export default config;
