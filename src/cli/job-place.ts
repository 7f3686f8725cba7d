/** Where a job of this process is remembered, and what holds it. */
import type { JobInit } from "../run/job/job.js";
import type { Io } from "./io.js";
import { type StateArguments, stateDirectory } from "./state-directory.js";

export function jobPlace(
  args: StateArguments,
  io: Pick<Io, "cwd" | "env" | "isAlive" | "isOwnProcess" | "pid">,
): Pick<JobInit, "cwd" | "isAlive" | "mayBeEnded" | "pid" | "stateDirectory"> {
  const { cwd, isAlive, isOwnProcess: mayBeEnded = false, pid } = io;
  return { cwd, isAlive, mayBeEnded, pid, stateDirectory: stateDirectory(args, io) };
}
