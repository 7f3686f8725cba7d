/** `plan`: everything but writing. */
import { plan as planRun } from "../../run/plan.js";
import { type Command, DUMP_POSITIONAL } from "../command.js";
import type { Io } from "../io.js";
import { OUTPUT_OPTIONS, RUN_OPTIONS } from "../options.js";
import { json, print } from "../output.js";
import { type ProgressKind, progressSink } from "../progress.js";
import { type RunArguments, runOptions } from "../run-options.js";
import { planText } from "../text.js";

interface PlanArguments extends RunArguments {
  readonly json?: boolean;
  readonly progress?: ProgressKind;
}

export const plan: Command<PlanArguments> = {
  usage: "plan <dump>",
  summary: "check dump and targets and say what apply would do, without writing",
  options: { ...RUN_OPTIONS, ...OUTPUT_OPTIONS },
  positionals: DUMP_POSITIONAL,
  examples: [["$0 plan ./dump --mode replace", "what a replace would delete and write"]],
  run: runPlan,
};

/** @returns 0, or the exit status with which `apply` would refuse */
export async function runPlan(args: PlanArguments, io: Io): Promise<number> {
  const progress = progressSink(args.progress ?? "auto", io);
  const options = await runOptions(args, io, progress);
  try {
    const result = await planRun(options);
    await print(io.stdout, args.json === true ? json(result) : planText(result));
    return result.refusal?.exitStatus ?? 0;
  } finally {
    progress.report({ type: "finished" });
  }
}
