/** The errors of a tree that holds what no dump holds, or that cannot be read. */
import { messageOf, RestoreError } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";

export function treeFault(path: string, what: string): RestoreError {
  return new RestoreError("TREE_INVALID", `${escapeForDisplay(path)} ${what}: a dump holds regular files only`, {
    where: { path },
    hint: "Remove it, or copy the dump again without links.",
  });
}

export const UNREADABLE_HINT = "Let this user read the whole dump, or copy it again.";

/** What the system says of a part of the dump; RestoreErrors pass unchanged. */
export function unreadable(path: string, error: unknown): RestoreError {
  if (error instanceof RestoreError) return error;
  return new RestoreError("DUMP_UNREADABLE", `${escapeForDisplay(path)} cannot be read: ${messageOf(error)}`, {
    where: { path },
    hint: UNREADABLE_HINT,
    cause: error,
  });
}
