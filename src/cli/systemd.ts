/**
 * What systemd is told of a service: that it is ready, alive, about to end. Node cannot send to the socket that systemd
 * listens on, a Unix socket of datagrams, without an add-on; `systemd-notify` comes with systemd and can. Since it is a
 * process of its own, the unit says `NotifyAccess=all`.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Clock } from "../support/clock.js";

const PROGRAM = "systemd-notify";
const ANSWERED_WITHIN_MS = 5_000;

export interface ServiceManager {
  ready(status: string): Promise<void>;
  stopping(): Promise<void>;
  /** Tells that the service is alive as often as the unit wants to hear it, until aborted: a process that hangs does not. */
  watch(clock: Clock, signal: AbortSignal): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that are for this process alone, not for those that it starts. */
export const SERVICE_VARIABLES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

/** `onTrouble`: told of what could not be sent. Nobody is told anything where the environment names no service manager. */
export function serviceManager(env: Environment, pid: number, onTrouble: (error: unknown) => void): ServiceManager {
  const socket = env["NOTIFY_SOCKET"];
  const tell = async (...words: string[]) => {
    if (socket === undefined || socket === "") return;
    const surroundings = { NOTIFY_SOCKET: socket, PATH: env["PATH"] };
    await promisify(execFile)(PROGRAM, words, { env: surroundings, timeout: ANSWERED_WITHIN_MS }).catch(onTrouble);
  };
  return {
    ready: (status) => tell("--ready", `--status=${status}`),
    stopping: () => tell("--status=ending; jobs that run are taken up at the next start", "STOPPING=1"),
    watch: async (clock, signal) => {
      const everyMs = watchdogMs(env, pid);
      if (everyMs === undefined) return;
      while (!signal.aborted) {
        await tell("WATCHDOG=1");
        await clock.sleep(everyMs, signal).catch(() => undefined);
      }
    },
  };
}

/** Half of what the unit allows. */
function watchdogMs(env: Environment, pid: number): number | undefined {
  const [micros, meant] = [Number(env["WATCHDOG_USEC"]), env["WATCHDOG_PID"]];
  if (!(micros > 0) || (meant !== undefined && meant !== "" && Number(meant) !== pid)) return undefined;
  return Math.max(100, Math.floor(micros / 2_000));
}
