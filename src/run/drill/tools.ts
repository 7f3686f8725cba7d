/** What a drill needs of the process that it runs in: servers, commands, targets. Types; they are made by the command line. */
import type { Adapter } from "../../model/scope.js";
import type { AwsCredentials } from "../../replayers/aws-client.js";
import type { RunOptions } from "../prepare.js";
import type { ProgressSink } from "../progress.js";
import type { ServerNote, TargetNote } from "./drill-folder.js";

export type ServerKind = "environment" | "docker" | "native" | "in-process";

export interface SandboxServer {
  readonly adapter: Adapter;
  /** `minio RELEASE…`, for people. */
  readonly server: string;
  readonly endpoint: string;
  readonly credentials?: AwsCredentials;
  readonly how: ServerKind;
  /** Why it is a stand-in in this process and not a real server. */
  readonly instead?: string;
  /** Resolves when the server ends before `stop` was called, with what happened. */
  readonly ended?: Promise<string>;
  /** Repeatable. */
  stop(): Promise<void>;
}

export interface StartInit {
  /** Takes the data of processes. */
  readonly folder: string;
  /** Waited for before anything else is done with what was started. */
  readonly note: (note: ServerNote) => Promise<void>;
}

export interface CommandOrder {
  readonly argv: readonly string[];
  /** Over this process's own environment; undefined takes a variable out of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface CommandEnd {
  /** Exit status, the signal that ended it, or why it could not be run. */
  readonly ended: number | string;
  /** What it said last. */
  readonly output: string;
}

export interface DrillTools {
  readonly pid: number;
  readonly cwd: string;
  /** This process's own. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isAlive: (pid: number) => boolean;
  /** Whether the sandbox's server for this adapter is one that the environment names: it stays, and others may use it. */
  isShared(adapter: Adapter): boolean;
  /** @throws Error that says in which ways it was tried */
  startServer(adapter: Adapter, init: StartInit): Promise<SandboxServer>;
  /** Ends what an earlier process noted, unless another process has its number now. @throws Error */
  endServer(note: ServerNote): Promise<"ended" | "gone">;
  /** A run into the target; `servers`: those of a sandbox. @throws RestoreError of the class usage */
  optionsFor(target: TargetNote, init: OptionsInit): Promise<RunOptions>;
  /** Runs a program, without a shell. Never throws. */
  runCommand(order: CommandOrder): Promise<CommandEnd>;
}

export interface OptionsInit {
  readonly dump: string;
  readonly servers: readonly SandboxServer[];
  readonly progress: ProgressSink;
}
