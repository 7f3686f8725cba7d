/** Tells a process from a later one that was given its number. */
import { readFile } from "node:fs/promises";

/** When the process was begun, as Linux counts it; undefined elsewhere, and where there is no such process. */
export async function processBirth(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The name in brackets may hold anything; behind it, the start stands in the 20th place (proc_pid_stat(5)).
  const birth = text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  return birth === "" ? undefined : birth;
}
