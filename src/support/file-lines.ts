/** Lines of a file of ours, read as they are asked for. */
import { open } from "node:fs/promises";
import { systemCode } from "../errors/restore-error.js";

/** Whole lines: what a write left unfinished at the end is none. Nothing where the file is missing. */
export async function* wholeLines(path: string): AsyncGenerator<string> {
  const file = await open(path, "r").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return;
  let rest = "";
  for await (const chunk of file.createReadStream({ encoding: "utf8" })) {
    const lines = `${rest}${chunk as string}`.split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
