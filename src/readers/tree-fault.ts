/** The error of a tree that holds what no dump holds. */
import { RestoreError } from "../errors/restore-error.js";
import { escapeForDisplay } from "../model/display.js";

export function treeFault(path: string, what: string): RestoreError {
  return new RestoreError("TREE_INVALID", `${escapeForDisplay(path)} ${what}: a dump holds regular files only`, {
    where: { path },
    hint: "Remove it, or copy the dump again without links.",
  });
}
