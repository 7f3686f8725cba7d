/** What a command that speaks to a daemon has at hand: the daemon, the streams, and how much is to be said. */
import { RestoreError } from "../../errors/restore-error.js";
import { type Clock, systemClock } from "../../support/clock.js";
import type { Io } from "../io.js";
import type { ProgressKind } from "../progress.js";
import { lines } from "../text-parts.js";
import { Client } from "./client.js";
import { anyServer, namedServer, type Server, type ServerArguments } from "./server.js";

export interface SessionArguments extends ServerArguments {
  readonly progress?: ProgressKind;
}

export interface Session {
  readonly client: Client;
  readonly io: Io;
  readonly clock: Clock;
  readonly progress: ProgressKind;
}

/** Of a command that works without a daemon as well: it was named. @throws RestoreError of the class usage */
export async function openSession(args: SessionArguments & { readonly server: string }, io: Io): Promise<Session> {
  return session(await namedServer(args, io), args, io);
}

/** Of a command that is for daemons alone. @throws RestoreError of the class usage */
export async function openAnySession(args: SessionArguments, io: Io): Promise<Session> {
  return session(await anyServer(args, io), args, io);
}

function session(server: Server, { progress = "auto" }: SessionArguments, io: Io): Session {
  const clock = systemClock;
  return { client: new Client(server, { clock, signal: io.signal }), io, clock, progress };
}

/** On standard error, unless it is to be quiet. */
export function say({ io, progress }: Pick<Session, "io" | "progress">, text: string): void {
  if (progress !== "none") io.stderr.write(lines([text]));
}

/** What an interruption of the work means; any other error as it is. */
export function interruptedWith(
  error: unknown,
  { io }: Pick<Session, "io">,
  told: { readonly message: string; readonly hint: string },
): unknown {
  if (io.signal?.aborted !== true) return error;
  return new RestoreError("INTERRUPTED", told.message, { hint: told.hint, cause: error });
}
