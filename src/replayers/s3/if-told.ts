/** Questions that a target need not answer. */
import { RestoreError } from "../../errors/restore-error.js";
import { ACCESS_DENIED, hasReason } from "./classify-error.js";

/** Undefined where the target does not say, or not to these credentials. @throws RestoreError when the run cannot go on */
export async function ifTold<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const isAnswer = error instanceof RestoreError && (error.code === "CALL_FAILED" || error.code === "RECORD_REFUSED");
    if (isAnswer || hasReason(error, ACCESS_DENIED)) return undefined;
    throw error;
  }
}
