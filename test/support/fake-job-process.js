/**
 * A process of a job that does what the test says: `behaviour.json` in the folder that `FAKE_JOBS` names holds a list, and
 * each process takes the next of it; the last one is for all that follow. It writes down with which words it was begun.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const folder = process.env["FAKE_JOBS"] ?? "";
const words = process.argv.slice(2);
const log = join(folder, "begun.jsonl");
const before = existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0;
const orders = /** @type {unknown[]} */ ([]);
appendFileSync(log, `${JSON.stringify({ words, pid: process.pid, id: process.env["ELASTICKV_RESTORE_JOB_ID"] })}\n`);

/**
 * @typedef {{
 *   tells?: unknown[], waits?: boolean, ignoresStop?: boolean, writes?: Record<string, unknown>, says?: string,
 *   exits?: number, dies?: NodeJS.Signals,
 * }} Behaviour
 */
const behaviours = /** @type {Behaviour[]} */ (JSON.parse(readFileSync(join(folder, "behaviour.json"), "utf8")));
const behaviour = behaviours[Math.min(before, behaviours.length - 1)] ?? {};

/** @param {unknown} message */
function tell(message) {
  return new Promise((resolve) => process.send?.(message, undefined, {}, resolve));
}

/** Where the process was told to write: `report`, `out` or `stdout`. @param {string} name */
function placeOf(name) {
  return words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3) ?? "";
}

/** @param {Behaviour} how */
async function end({ tells = [], writes = {}, says = "", exits = 0, dies }) {
  for (const message of tells) await tell(message);
  for (const [name, document] of Object.entries(writes)) {
    const text = JSON.stringify(document);
    if (name === "stdout") writeFileSync(1, text);
    else {
      const [option = "", file = ""] = name.split("/");
      const path = join(placeOf(option), file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  }
  if (says !== "") process.stderr.write(`${says}\n`);
  writeFileSync(join(folder, `orders-${before}.json`), JSON.stringify(orders));
  if (dies === undefined) process.exit(exits);
  process.kill(process.pid, dies);
}

/** @param {{ type: string, limits?: unknown }} order */
function obey(order) {
  orders.push(order);
  if (order.type === "pause") void tell({ type: "paused" });
  if (order.type === "resume") void tell({ type: "resumed" });
  if (order.type === "limits") void tell(order);
  if (order.type !== "stop" || behaviour.ignoresStop === true) return;
  const failure = { code: "INTERRUPTED", message: "interrupted" };
  void end({ tells: [{ type: "failed", failure }], exits: 143 });
}

process.on("message", obey);
process.on("disconnect", () => process.exit(143));
if (behaviour.waits === true) {
  for (const message of behaviour.tells ?? []) await tell(message);
  const timer = setInterval(() => {
    if (!existsSync(join(folder, "go"))) return;
    clearInterval(timer);
    void end({ ...behaviour, tells: [] });
  }, 10);
} else await end(behaviour);
