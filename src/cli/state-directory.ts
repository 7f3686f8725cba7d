/** Where jobs are remembered: the option, else the environment, else the XDG state folder. */
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import type { Io } from "./io.js";

export interface StateArguments {
  readonly stateDir?: string;
}

type StateIo = Pick<Io, "cwd" | "env">;

const VARIABLE = "ELASTICKV_RESTORE_STATE_DIR";

export function stateDirectory(args: StateArguments, io: StateIo): string {
  return named(args, io) ?? defaultDirectory(io);
}

/** ` --state-dir DIR`, as a shell takes it, for commands that are told to people; empty where they need none. */
export function stateOption(args: StateArguments, io: StateIo): string {
  const directory = named(args, io);
  return directory === undefined || directory === defaultDirectory(io) ? "" : ` --state-dir ${shellWord(directory)}`;
}

function named({ stateDir }: StateArguments, { env, cwd }: StateIo): string | undefined {
  const given = stateDir ?? env[VARIABLE];
  return given === undefined || given === "" ? undefined : resolve(cwd, given);
}

function defaultDirectory({ env }: StateIo): string {
  const base = env["XDG_STATE_HOME"];
  // The specification has relative paths ignored.
  if (base !== undefined && isAbsolute(base)) return join(base, "elastickv-restore");
  return join(env["HOME"] ?? homedir(), ".local", "state", "elastickv-restore");
}

/** As a shell takes it for one word. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
