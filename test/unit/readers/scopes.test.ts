import { describe, expect, it } from "vitest";
import { fallbackOf, MANIFEST, tableSchema } from "../../support/dump-builder.js";
import { EVERYTHING, faultOf, readWhole, restoreErrorOf, withBuilt, withDump } from "../../support/read-dump.js";

const table = (name: string, directory = name) => ({ [`dynamodb/${directory}/_schema.json`]: tableSchema(name) });

describe("scopes", () => {
  it("come from the directories where the manifest lists none, in bytewise order", async () => {
    const files = { ...table("b"), ...table("a-b"), ...table("B"), "redis/db_10": null, "redis/db_2": null };
    await withBuilt({ files }, async (path) => {
      const { scopes } = await readWhole(path);
      expect(scopes.map(({ name }) => name)).toEqual(["B", "a-b", "b", "db_10", "db_2"]);
      expect(scopes.at(-1)).toMatchObject({ database: 2, targetDatabase: 2 });
    });
  });

  it("come in the manifest's order where it lists them", async () => {
    const files = { ...table("one"), ...table("two"), "redis/db_0": null, "redis/db_3": null };
    const adapters = { redis: { databases: ["db_3", 0] }, dynamodb: { tables: ["two", "one"] } };
    await withBuilt({ files, adapters }, async (path) => {
      const { scopes } = await readWhole(path);
      expect(scopes.map(({ name }) => name)).toEqual(["two", "one", "db_3", "db_0"]);
      const outline = await withDump(path, (dump) => dump.outline());
      expect(outline.map(({ name }) => name)).toEqual(["two", "one", "db_3", "db_0"]);
    });
  });

  it("are known under names that fall back, whose metadata tells them", async () => {
    const name = "t".repeat(250);
    await withBuilt({ files: table(name, fallbackOf(name).segment) }, async (path) => {
      expect((await readWhole(path)).scopes).toMatchObject([{ name }]);
      expect(await withDump(path, (dump) => dump.outline())).toEqual([{ adapter: "dynamodb", name }]);
    });
  });

  it("are renamed and left out as the selection says, and all are validated", async () => {
    const files = { ...table("one"), ...table("two") };
    await withBuilt({ files }, (path) =>
      withDump(path, async (dump) => {
        await dump.check();
        const scopes = await dump.scopes({ wants: (_adapter, name) => name === "two", targetName: () => "copy" });
        expect(scopes).toMatchObject([{ name: "two", target: "copy" }]);
        expect(dump.sizeOf(scopes[0] ?? expect.fail())).toMatchObject({ files: 1 });
      }),
    );
    const broken = { ...table("one"), "dynamodb/two/_schema.json": "{" };
    await withBuilt({ files: broken }, (path) =>
      withDump(path, async (dump) => {
        await dump.check();
        const error = await restoreErrorOf(
          dump.scopes({ wants: (_adapter, name) => name === "one", targetName: String }),
        );
        expect(error.code).toBe("SCHEMA_INVALID");
      }),
    );
  });

  it.each([
    [
      "a listed table without a directory",
      { adapters: { dynamodb: { tables: ["a", "gone"] } }, files: table("a") },
      "DUMP_INCONSISTENT",
    ],
    [
      "a directory that is not listed",
      { adapters: { dynamodb: { tables: [] } }, files: table("a") },
      "DUMP_INCONSISTENT",
    ],
    ["files of an excluded adapter", { adapters: { redis: {} }, files: table("a") }, "DUMP_INCONSISTENT"],
    ["a table without a schema", { files: { "dynamodb/a/items/1.json": {} } }, "SCOPE_INVALID"],
    ["an empty table directory", { files: { "dynamodb/a": null } }, "SCOPE_INVALID"],
    ["a schema of another name", { files: table("b", "a") }, "SCOPE_INVALID"],
    ["a fallback directory of another name", { files: table("b", fallbackOf("a").segment) }, "SCOPE_INVALID"],
    [
      "a schema of a newer format",
      { files: { "dynamodb/a/_schema.json": { ...tableSchema("a"), format_version: 2 } } },
      "SCHEMA_INVALID",
    ],
    ["a directory in lower-case hex", { files: table("é", "%c3%a9") }, "NAME_INVALID"],
    ["a database without a number", { files: { "redis/main": null } }, "NAME_INVALID"],
    ["a database with a leading zero", { files: { "redis/db_01": null } }, "NAME_INVALID"],
    ["a table's name that is not UTF-8", { files: table("x", "%FF") }, "NAME_INVALID"],
    ["an item's name in lower-case hex", { files: { ...table("a"), "dynamodb/a/items/%2f.json": {} } }, "NAME_INVALID"],
    ["an item too deep", { files: { ...table("a"), "dynamodb/a/items/1/2/3.json": {} } }, "NAME_INVALID"],
  ])("are refused with %s", async (_what, description, code) => {
    const error = await faultOf(description);
    expect([error.code, error.exitStatus]).toEqual([code, 4]);
  });

  it("of unknown adapters and other things in the root are warned of", async () => {
    const description = { files: { "kafka/x": "1", "notes.txt": "1" }, adapters: { kafka: {} } };
    await withBuilt(description, async (path) => {
      const { scopes, warnings } = await readWhole(path);
      expect(scopes).toEqual([]);
      expect(warnings.join("\n")).toMatch(/kafka.*kafka.*notes\.txt/s);
    });
  });

  it("cannot be read before the check", async () => {
    await withBuilt({ files: table("a") }, (path) =>
      withDump(path, async (dump) => {
        expect((await restoreErrorOf(dump.scopes(EVERYTHING))).code).toBe("INTERNAL");
      }),
    );
  });
});

describe("the manifest", () => {
  it("keeps numbers above 2^53 and times to the millisecond", async () => {
    const manifest = {
      last_commit_ts: 117668074287989219n,
      wall_time_iso: "2026-11-23T23:18:36.579934098+01:00",
      extra: 1,
    };
    await withBuilt({ manifest }, (path) =>
      withDump(path, async (dump) => {
        expect(dump.manifest.lastCommitTs).toBe(117668074287989219n);
        expect(dump.manifest.wallTime.unixMs).toBe(Date.UTC(2026, 10, 23, 22, 18, 36, 579));
      }),
    );
  });

  it("without a phase is taken as consistent, with a warning", async () => {
    await withBuilt({ manifest: { phase: undefined, live: undefined } }, (path) =>
      withDump(path, async (dump) => {
        expect(dump.manifest.phase).toBe("phase1-live-pinned");
        expect(dump.manifest.warnings.join()).toMatch(/phase/);
      }),
    );
  });

  it.each([
    ["format_version 2", { format_version: 2 }, "VERSION_UNSUPPORTED"],
    ["format_version 0", { format_version: 0 }, "VERSION_UNSUPPORTED"],
    ["no format_version", { format_version: undefined }, "MANIFEST_INVALID"],
    ["format_version null", { format_version: null }, "MANIFEST_INVALID"],
    ["format_version 1.0", `{"format_version":1.0}`, "MANIFEST_INVALID"],
    ["an unknown phase", { phase: "phase2" }, "MANIFEST_INVALID"],
    ["an empty phase", { phase: "" }, "MANIFEST_INVALID"],
    ["phase 1 without live", { live: undefined }, "MANIFEST_INVALID"],
    ["phase 1 with source", { source: { fsm_path: "x" } }, "MANIFEST_INVALID"],
    ["phase 0 with live", { phase: "phase0-snapshot-decode" }, "MANIFEST_INVALID"],
    ["read_ts 0", { live: { read_ts: 0 } }, "MANIFEST_INVALID"],
    ["no adapters", { adapters: undefined }, "MANIFEST_INVALID"],
    ["no exclusions", { exclusions: undefined }, "MANIFEST_INVALID"],
    ["an exclusion missing", { exclusions: { include_orphans: false } }, "MANIFEST_INVALID"],
    ["no time", { wall_time_iso: undefined }, "MANIFEST_INVALID"],
    ["a time without offset", { wall_time_iso: "2026-04-29T15:42:11" }, "MANIFEST_INVALID"],
    ["another digest", { checksum_algorithm: "md5" }, "MANIFEST_INVALID"],
    ["an empty suffix", { s3_meta_suffix: "" }, "MANIFEST_INVALID"],
    ["a scope twice", { adapters: { redis: { databases: [0, "db_0"] } } }, "MANIFEST_INVALID"],
    ["trailing bytes", `${JSON.stringify({ ...MANIFEST, live: { read_ts: 1 }, adapters: {} })}{}`, "MANIFEST_INVALID"],
    ["a name twice", '{"format_version":1,"format_version":1}', "MANIFEST_INVALID"],
    ["a byte order mark", '\ufeff{"format_version":1}', "MANIFEST_INVALID"],
  ])("is refused with %s", async (_what, manifest, code) => {
    const error = await faultOf({ manifest });
    expect([error.code, error.exitStatus]).toEqual([code, 4]);
  });

  it.each([
    ["a phase", { phase: "phase1\n\u001b[2J" }, String.raw`unknown phase "phase1\u{a}\u{1b}[2J"`],
    ["a constant", { checksum_algorithm: "sha\r256" }, String.raw`"checksum_algorithm" is "sha\u{d}256"`],
    ["a time", { wall_time_iso: "2026\u2028" }, String.raw`not an RFC 3339 time: "2026\u{2028}"`],
    ["a database", { adapters: { redis: { databases: ["db\n0"] } } }, String.raw`holds "db\u{a}0", not a database`],
  ])("is refused in one line whatever stands in %s", async (_what, manifest, message) => {
    const error = await faultOf({ manifest });
    expect(error.message).toContain(message);
  });

  it("warns of an adapter in one line whatever it is called", async () => {
    await withBuilt({ manifest: { adapters: { "kaf\nka": {} } } }, (path) =>
      withDump(path, async (dump) => {
        expect(dump.manifest.warnings).toEqual([String.raw`unknown adapter "kaf\u{a}ka" is left out`]);
      }),
    );
  });

  it("is needed", async () => {
    expect((await restoreErrorOf(withDump("/nowhere/at/all", async () => undefined))).code).toBe("DUMP_NOT_FOUND");
    await withBuilt({}, async (path) => {
      expect((await restoreErrorOf(withDump(`${path}/MANIFEST.json`, async () => undefined))).code).toBe(
        "DUMP_UNREADABLE",
      );
    });
    await withBuilt({ files: { "sub/x": "1" } }, async (path) => {
      expect((await restoreErrorOf(withDump(`${path}/sub`, async () => undefined))).code).toBe("MANIFEST_MISSING");
    });
  });
});
