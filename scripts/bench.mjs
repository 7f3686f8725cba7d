/** `npm run bench`: makes a clean clone ready, then runs bench/main.ts in this process. */
import { build, ensureDependencies } from "./bootstrap.mjs";

const problem = await prepare();
if (problem === undefined) {
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  const { register } = await import("tsx/esm/api");
  register();
  const { bench } = await import("../bench/main.js");
  process.exitCode = await bench(process.argv.slice(2));
} else {
  console.log(problem);
  process.exitCode = 1;
}

async function prepare() {
  const missing = await ensureDependencies();
  if (missing !== undefined) return missing;
  const { status, output } = await build();
  return status === 0 ? undefined : `the build failed:\n${output}`;
}
