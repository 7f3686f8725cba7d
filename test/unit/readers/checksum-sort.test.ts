import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sortRows } from "../../../src/readers/checksum-sort.js";
import { collect } from "../../support/read-dump.js";

describe("sorting CHECKSUMS on disk", () => {
  it("gives all rows in bytewise order and leaves no file", async () => {
    const directory = await mkdtemp(join(tmpdir(), "elastickv-restore-sort-"));
    const names = fc.array(fc.string({ unit: "grapheme", maxLength: 6 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(names, fc.integer({ min: 1, max: 7 }), async (paths, rowsARun) => {
        const rows = paths.map((path, index) => ({ path, sha256: "0", line: index + 1 }));
        async function* source() {
          yield* rows;
        }
        const sorted = await collect(sortRows(source(), directory, rowsARun));
        const expected = rows.toSorted(
          (a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)) || a.line - b.line,
        );
        expect(sorted).toEqual(expected);
        expect(await readdir(directory)).toEqual([]);
      }),
    );
    await rm(directory, { recursive: true });
  });
});
