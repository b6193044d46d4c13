#!/usr/bin/env node
// Runs the built program; in a checkout, where the sources lie beside it, those.
import { existsSync } from "node:fs";
import { register } from "node:module";

if (existsSync(new URL("../src/main.ts", import.meta.url))) {
  const { register: registerTypeScript } = await import("tsx/esm/api");
  registerTypeScript();
  register("./source-condition.js", import.meta.url);
  await import("../src/main.ts");
} else {
  await import("../dist/main.js");
}
