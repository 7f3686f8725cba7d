/** `npm run demo`: makes a clean clone ready, then runs demo.ts in this process. */
import { build, ensureDependencies } from "./bootstrap.mjs";

const problem = await prepare();
if (problem === undefined) {
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  const { register } = await import("tsx/esm/api");
  register();
  const { demo } = await import("./demo.js");
  process.exitCode = await demo(process.argv.slice(2));
} else {
  console.log(problem);
  process.exitCode = 1;
}

async function prepare() {
  const missing = await ensureDependencies();
  if (missing !== undefined) return missing;
  console.log("Building …");
  const { status, output } = await build();
  return status === 0 ? undefined : `the build failed:\n${output}`;
}
