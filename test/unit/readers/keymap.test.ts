import { describe, expect, it } from "vitest";
import type { RedisRecord } from "../../../src/model/record.js";
import { type DumpFile, fallbackOf } from "../../support/dump-builder.js";
import { recordsOf } from "../../support/read-dump.js";

describe("a KEYMAP of some megabytes", () => {
  it("gives every key back, also those whose lines cross blocks or are over a megabyte long", async () => {
    const keys = Array.from({ length: 12 }, (_, index) => Buffer.alloc(90_000 + index, index + 33));
    keys.push(Buffer.alloc(1024 * 1024, "k"));
    const mapped = keys.map(fallbackOf);
    const files: Record<string, DumpFile> = { "redis/db_0/KEYMAP.jsonl": mapped.map(({ line }) => line) };
    for (const { segment } of mapped) files[`redis/db_0/strings/${segment}.bin`] = "v";
    const records = (await recordsOf(files)) as RedisRecord[];
    const read = records.map(({ key }) => key.toString("latin1")).sort();
    expect(read).toEqual(keys.map((key) => key.toString("latin1")).sort());
  });
});
