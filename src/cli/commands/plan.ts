/** `plan`: everything but writing. */
import { resolve } from "node:path";
import { plan as planRun } from "../../run/plan.js";
import type { Io } from "../io.js";
import { RETRIED_OPTIONS, RUN_OPTIONS } from "../options.js";
import { json, print, writeResult } from "../output.js";
import { planText } from "../plan-text.js";
import { type ProgressKind, progressSink } from "../progress.js";
import { assertWritable } from "../reports.js";
import { type RunArguments, runOptions } from "../run-options.js";
import { stateDirectory } from "../state-directory.js";
import { wordsFor } from "../words.js";

export interface PlanArguments extends RunArguments {
  readonly out?: string;
  readonly json?: boolean;
  readonly progress?: ProgressKind;
}

export { runPlan as run };

/** @returns 0, or the exit status with which `apply` would refuse */
export async function runPlan(args: PlanArguments, io: Io): Promise<number> {
  const progress = progressSink(args.progress ?? "auto", io);
  const out = args.out === undefined ? undefined : resolve(io.cwd, args.out);
  if (out !== undefined) await assertWritable(args.out === "" ? "" : out, "--out");
  const options = await runOptions(args, io, progress);
  const words = wordsFor({ ...RUN_OPTIONS, ...RETRIED_OPTIONS }, args);
  try {
    const result = await planRun({
      ...options,
      stateDirectory: stateDirectory(args, io),
      command: { words, cwd: io.cwd },
    });
    if (out !== undefined) await writeResult(out, json(result), "--out");
    if (result.refusal !== undefined) io.supervisor?.failed(result.refusal);
    await print(io.stdout, args.json === true ? json(result) : `${planText(result)}${keptText(args)}`);
    return result.refusal?.exitStatus ?? 0;
  } finally {
    options.retry?.close();
    progress.report({ type: "finished" });
  }
}

function keptText({ out }: PlanArguments): string {
  return out === undefined
    ? ""
    : `The plan stands in ${out}; \`elastickv-restore apply --plan ${out}\` runs just that.\n`;
}
