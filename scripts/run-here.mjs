/** Makes a clean clone ready and runs a program of TypeScript in this process: what `npm run demo` and `npm run bench` do. */
import { build, ensureDependencies } from "./bootstrap.mjs";

/**
 * Sets the exit status. `load` imports the program once TypeScript can be loaded.
 * @param {() => Promise<(argv: string[]) => Promise<number>>} load
 * @param {{ says?: string }} [options] `says`: printed before the build
 */
export async function runHere(load, { says } = {}) {
  const problem = await prepare(says);
  if (problem !== undefined) {
    console.log(problem);
    process.exitCode = 1;
    return;
  }
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  const { register } = await import("tsx/esm/api");
  register();
  const program = await load();
  process.exitCode = await program(process.argv.slice(2));
}

/** @param {string | undefined} says */
async function prepare(says) {
  const missing = await ensureDependencies();
  if (missing !== undefined) return missing;
  if (says !== undefined) console.log(says);
  const { status, output } = await build();
  return status === 0 ? undefined : `the build failed:\n${output}`;
}
