/** Asks the person before the terminal. */
import { createInterface } from "node:readline/promises";
import { RestoreError } from "../errors/restore-error.js";
import type { Io } from "./io.js";

/** What they type, trimmed; undefined where nobody can be asked, or the input ends. @throws RestoreError INTERRUPTED */
export async function ask(question: string, { stdin, stderr, isTty, signal }: Io): Promise<string | undefined> {
  if (isTty !== true || stdin === undefined) return undefined;
  const lines = createInterface({ input: stdin, output: stderr, terminal: true });
  // A terminal hands Ctrl-C to the prompt, as a key and not as a signal.
  const interruption = new AbortController();
  lines.once("SIGINT", () => interruption.abort());
  // A prompt whose input has ended never answers.
  const ended = new Promise<undefined>((resolve) => lines.once("close", () => resolve(undefined)));
  const either = AbortSignal.any([interruption.signal, ...(signal === undefined ? [] : [signal])]);
  try {
    return (await Promise.race([lines.question(question, { signal: either }), ended]))?.trim();
  } catch (error) {
    if (either.aborted) throw new RestoreError("INTERRUPTED", "interrupted before anything was written");
    if (error instanceof Error && error.name === "AbortError") return undefined;
    throw error;
  } finally {
    lines.close();
  }
}
