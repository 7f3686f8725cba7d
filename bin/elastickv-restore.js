#!/usr/bin/env node
import { existsSync } from "node:fs";

const entry = new URL("../dist/cli/process.js", import.meta.url);
if (existsSync(entry)) {
  const { runProcess } = await import(entry.href);
  await runProcess();
} else {
  process.stderr.write("error: this checkout is not built\nRun `npm ci && npm run build` in it first.\n");
  process.exitCode = 1;
}
