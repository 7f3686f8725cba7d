/**
 * A process that runs the built command line as often as it is asked, and may be killed on the way: `victim.js <folder of
 * the build>`. Asked and answering by messages of its parent; see `victims.ts`.
 */
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { arm, pointsPassed } from "./points.js";

const [build = ""] = process.argv.slice(2);
/** @type {typeof import("../../../src/cli/main.js")} */
const { main } = await import(`${pathToFileURL(build).href}/dist/src/cli/main.js`);

class Kept extends Writable {
  text = "";

  /** @override @type {Writable["_write"]} */
  _write(chunk, _encoding, done) {
    this.text += chunk.toString();
    done();
  }
}

/** @param {import("./victims.js").Order} order */
async function run({ argv, env, killAt, stateDirectory }) {
  const [stdout, stderr] = [new Kept(), new Kept()];
  arm(stateDirectory, killAt);
  const isAlive = (/** @type {number} */ pid) => pid === process.pid;
  const status = await main(argv, { env, pid: process.pid, isAlive, cwd: process.cwd(), stdout, stderr });
  process.send?.({ status, stdout: stdout.text, stderr: stderr.text, points: pointsPassed() });
}

process.on("message", (order) => void run(/** @type {import("./victims.js").Order} */ (order)));
process.on("disconnect", () => process.exit());
process.send?.("ready");
