/** Names the files that stand in CHECKSUMS alone, or in the tree alone. */
import { compareUtf8 } from "../support/byte-order.js";
import { Problems } from "./check-problems.js";
import { sortedChecksums } from "./checksums.js";
import { mayBeUnlisted } from "./tree-tally.js";
import { walkFiles } from "./tree-walk.js";

export interface TreeMatch {
  readonly problems: Problems;
  readonly missing: number;
}

/** Merges the walk and the listing. @throws RestoreError as they do */
export async function matchTree(root: string, workDirectory: string): Promise<TreeMatch> {
  const problems = new Problems();
  let missing = 0;
  const walk = walkFiles(root, { workDirectory });
  const unlisted = (path: string) => {
    if (!mayBeUnlisted(path)) problems.add("FILE_UNLISTED", path, "is not listed in CHECKSUMS");
  };
  try {
    let file = walk.next();
    for await (const { path, line } of sortedChecksums(root, workDirectory)) {
      for (; file.done !== true && compareUtf8(file.value, path) < 0; file = walk.next()) unlisted(file.value);
      if (file.done !== true && file.value === path) file = walk.next();
      else {
        problems.add("FILE_MISSING", path, `is listed in CHECKSUMS:${line} and missing`);
        missing++;
      }
    }
    for (; file.done !== true; file = walk.next()) unlisted(file.value);
    return { problems, missing };
  } finally {
    walk.return(undefined);
  }
}
