/** Random dumps, whole or with one file damaged: read to the end, or refused by a code that tells what to do. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { RestoreError } from "../../../src/errors/restore-error.js";
import { temporaryDump } from "../../support/dump-builder.js";
import { ending, fuzz, fuzzTimeout, mutated } from "../../support/fuzz.js";
import { type RandomDump, randomDump } from "../../support/random-dump/dump.js";
import { type ReadDump, readWhole } from "../../support/read-dump.js";
import { expectedFrom } from "../../support/readback/expected.js";

const dumps = randomDump(Date.UTC(2026, 3, 29));
const timeout = fuzzTimeout(60_000);
/** To make a dump smaller takes longer than to look at it. */
const runs = { ...fuzz(1 / 30), endOnFailure: true };

interface Damaged {
  readonly dump: RandomDump;
  readonly path: string;
  readonly content: Buffer;
}

const damaged: fc.Arbitrary<Damaged> = dumps
  .filter(({ description: { files = {} } }) => Object.keys(files).length > 0)
  .chain((dump) => {
    const files = dump.description.files ?? {};
    return fc.constantFrom(...Object.keys(files)).chain((path) => {
      const content = files[path];
      const original = typeof content === "string" || Buffer.isBuffer(content) ? Buffer.from(content) : Buffer.alloc(0);
      return mutated(fc.constant(original)).map((bytes) => ({ dump, path, content: bytes }));
    });
  });

async function withDumpOf<T>({ description }: RandomDump, use: (path: string) => Promise<T>): Promise<T> {
  const dump = await temporaryDump(description);
  try {
    return await use(dump.path);
  } finally {
    await dump.remove();
  }
}

function countsOf({ records }: ReadDump): Map<string, number> {
  return new Map([...records].map(([scope, read]) => [scope, read.length]));
}

describe("a random dump", () => {
  it("is read without a fault, each record once", { timeout }, async () => {
    const property = fc.asyncProperty(dumps, (dump) =>
      withDumpOf(dump, async (path) => {
        const read = await readWhole(path);
        expect(countsOf(read)).toEqual(expectedFrom(path).counts);
        const faulty = [...read.records.values()].flat().filter(({ kind }) => kind === "faulty");
        expect(faulty).toEqual([]);
      }),
    );
    await fc.assert(property, runs);
  });

  it("is refused when a byte of it differs from what was sealed", { timeout }, async () => {
    const property = fc.asyncProperty(damaged, ({ dump, path, content }) =>
      withDumpOf(dump, async (root) => {
        fc.pre(!content.equals(readFileSync(join(root, path))));
        writeFileSync(join(root, path), content);
        const found = await ending(() => readWhole(root));
        expect(found).toMatchObject({ error: { name: "RestoreError", code: "CHECKSUM_MISMATCH", where: { path } } });
      }),
    );
    await fc.assert(property, runs);
  });

  it("that was damaged and sealed again is refused by a code, or loses no record but those in the damaged file", {
    timeout,
  }, async () => {
    const property = fc.asyncProperty(damaged, async ({ dump, path, content }) => {
      const whole = await withDumpOf(dump, readWhole);
      const files = { ...dump.description.files, [path]: content };
      const sealed = { ...dump, description: { ...dump.description, files } };
      const found = await withDumpOf(sealed, (root) => ending(() => readWhole(root)));
      if ("error" in found) {
        if (!(found.error instanceof RestoreError)) throw found.error;
        expect(found.error.code).not.toBe("INTERNAL");
        return;
      }
      expect(soundElsewhere(found.value, path)).toEqual(soundElsewhere(whole, path));
    });
    await fc.assert(property, runs);
  });
});

/** Sound records by place, without those of the damaged file or, where it tells about its scope, of that scope. */
function soundElsewhere({ records }: ReadDump, damagedPath: string): string[] {
  const isAbout = /_(?:schema|bucket|queue)\.json$/.test(damagedPath);
  const scope = `${damagedPath.split("/").slice(0, 2).join("/")}/`;
  return [...records.values()]
    .flat()
    .filter((record) => record.kind !== "faulty" || record.reason === "duplicate-record")
    .filter(({ place: { path } }) => !damagedPath.startsWith(path) && !(isAbout && path.startsWith(scope)))
    .map(({ place }) => `${place.path}:${place.line ?? ""}`);
}
