/** What a test's failure tells, as one text to search in. */
import { inspect } from "node:util";

/** `(passed)` when it does not fail. */
export async function failureOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return "(passed)";
  } catch (error) {
    return textOf(error);
  }
}

/** The messages of the error and its causes, and what an assertion found, which its message cuts short. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const found = "actual" in error ? `\nfound: ${inspect(error.actual, { depth: 6, breakLength: Infinity })}` : "";
  const cause = error.cause === undefined ? "" : `\nbecause: ${textOf(error.cause)}`;
  return `${error.message}${found}${cause}`;
}
