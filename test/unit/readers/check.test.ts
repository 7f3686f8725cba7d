import { execFileSync } from "node:child_process";
import { appendFile, chmod, link, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  checksumRow,
  checksumRows,
  type DumpDescription,
  type DumpFile,
  fallbackOf,
  MANIFEST,
  s3Object,
} from "../../support/dump-builder.js";
import {
  collect,
  EVERYTHING,
  readRecords,
  readWhole,
  restoreErrorOf,
  withBuilt,
  withDump,
} from "../../support/read-dump.js";

const FILES = {
  "redis/db_0/strings/a-b.bin": "one",
  "redis/db_0/strings/a.bin": "two",
  "redis/db_0/lists/l.json": { items: ["x"] },
};

/** The code that the check fails with after `damage`. */
function codeAfter(damage: (root: string) => Promise<void>, description: DumpDescription = { files: FILES }) {
  return withBuilt(description, async (root) => {
    await damage(root);
    return (await restoreErrorOf(readWhole(root))).code;
  });
}

const rewriteRows = (change: (rows: string[]) => string[]) => async (root: string) => {
  await writeFile(join(root, "CHECKSUMS"), change(checksumRows(root)).join(""));
};

/** Aborts once the large file is being hashed; a little earlier does no harm. */
function abortingSoon(): AbortController {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 300);
  return controller;
}

describe("checking a dump", () => {
  it("passes a whole dump and counts its files", async () => {
    await withBuilt({ files: FILES }, (root) =>
      withDump(root, async (dump) => {
        const seen = await dump.check();
        expect(seen.files).toBe(4);
      }),
    );
  });

  it("goes on once whoever was told of it lets it", async () => {
    await withBuilt({ files: FILES }, (root) =>
      withDump(root, async (dump) => {
        const order: string[] = [];
        const told = async () => {
          await delay(50);
          order.push("let");
        };
        await dump.check(told);
        order.push("done");
        expect(order.slice(-2)).toEqual(["let", "done"]);
      }),
    );
  });

  it("refuses a flipped byte", async () => {
    const code = await codeAfter((root) => writeFile(join(root, "redis/db_0/strings/a.bin"), "twp"));
    expect(code).toBe("CHECKSUM_MISMATCH");
  });

  it("refuses a manifest that CHECKSUMS does not vouch for", async () => {
    const code = await codeAfter((root) => appendFile(join(root, "MANIFEST.json"), "\n"));
    expect(code).toBe("CHECKSUM_MISMATCH");
  });

  it("refuses a missing file", async () => {
    expect(await codeAfter((root) => rm(join(root, "redis/db_0/strings/a.bin")))).toBe("FILE_MISSING");
  });

  it("refuses an unlisted file", async () => {
    expect(await codeAfter((root) => writeFile(join(root, "redis/db_0/strings/c.bin"), ""))).toBe("FILE_UNLISTED");
  });

  it("tells the first problems and how many there are", async () => {
    await withBuilt({ files: FILES }, async (root) => {
      const missing = Array.from({ length: 30 }, (_, i) => checksumRow(`s3/b/${i + 10}`, Buffer.alloc(0)));
      await rewriteRows((rows) => [...rows, ...missing])(root);
      const { code, message, where } = await restoreErrorOf(readWhole(root));
      expect({ code, where }).toEqual({ code: "FILE_MISSING", where: { path: "s3/b/10" } });
      expect(message.split("\n").slice(19)).toEqual(["s3/b/29 is listed in CHECKSUMS:24 and missing", "and 10 more"]);
    });
  });

  it("stops at once when it is interrupted, in the middle of a large file too", async () => {
    await withBuilt({ files: FILES }, async (root) => {
      await writeFile(join(root, "redis/db_0/strings/z.bin"), "");
      await truncate(join(root, "redis/db_0/strings/z.bin"), 16 * 1024 ** 3);
      await appendFile(join(root, "CHECKSUMS"), checksumRow("redis/db_0/strings/z.bin", Buffer.alloc(0)));
      const { signal } = abortingSoon();
      expect((await restoreErrorOf(readWhole(root, { signal }))).code).toBe("INTERRUPTED");
    });
  });

  it("ignores unlisted debris and remap files", async () => {
    await withBuilt({ files: { ...FILES, ".scratch": null } }, async (root) => {
      await writeFile(join(root, ".scratch/half"), "x");
      await writeFile(join(root, "redis/db_0/strings/.a.bin.tmp-123"), "x");
      await writeFile(join(root, ".MANIFEST.json.77.tmp"), "x");
      await writeFile(join(root, "redis/db_0/s._id_remap.jsonl"), "x");
      expect([...(await readWhole(root)).records.values()].flat()).toHaveLength(3);
    });
  });

  it("reads listed files with debris' names as data", async () => {
    const name = "redis/db_0/strings/.a.tmp-1.bin";
    await withBuilt({ files: { [name]: "x" } }, async (root) => {
      expect([...(await readWhole(root)).records.values()].flat()).toMatchObject([{ displayKey: ".a.tmp-1" }]);
    });
  });

  it("refuses a symbolic link, even to a file with the right bytes", async () => {
    const code = await codeAfter(async (root) => {
      const path = join(root, "redis/db_0/strings/a.bin");
      await rm(path);
      await symlink("a-b.bin", path);
    });
    expect(code).toBe("TREE_INVALID");
  });

  it("refuses a directory that is a symbolic link", async () => {
    expect(await codeAfter((root) => symlink(tmpdir(), join(root, "redis/db_0/zsets")))).toBe("TREE_INVALID");
  });

  it("refuses a FIFO without waiting for a writer", async () => {
    const makeFifo = (name: string) => async (root: string) => {
      await rm(join(root, name), { force: true });
      execFileSync("mkfifo", [join(root, name)]);
    };
    expect(await codeAfter(makeFifo("redis/db_0/strings/a.bin"))).toBe("TREE_INVALID");
    expect(await codeAfter(makeFifo("CHECKSUMS"))).toBe("TREE_INVALID");
    expect(await codeAfter(makeFifo("MANIFEST.json"))).toBe("TREE_INVALID");
  });

  it("refuses CHECKSUMS and MANIFEST.json as symbolic links", async () => {
    const relink = (name: string) => async (root: string) => {
      const elsewhere = join(root, "redis/db_0/strings/a.bin");
      await writeFile(elsewhere, await readFile(join(root, name)));
      await rm(join(root, name));
      await symlink(elsewhere, join(root, name));
    };
    expect(await codeAfter(relink("CHECKSUMS"))).toBe("TREE_INVALID");
    await withBuilt({ files: FILES }, async (root) => {
      await relink("MANIFEST.json")(root);
      expect((await restoreErrorOf(withDump(root, async () => undefined))).code).toBe("TREE_INVALID");
    });
  });

  it("refuses a hard link within the tree, and takes one from outside", async () => {
    const inside = await codeAfter(async (root) => {
      const path = join(root, "redis/db_0/strings/a.bin");
      await rm(path);
      await link(join(root, "redis/db_0/strings/a-b.bin"), path);
      await rewriteRows((rows) => rows)(root);
    });
    expect(inside).toBe("TREE_INVALID");
    await withBuilt({ files: FILES }, async (root) => {
      await link(join(root, "redis/db_0/strings/a.bin"), `${root}-outside`);
      const { records } = await readWhole(root).finally(() => rm(`${root}-outside`));
      expect([...records.values()].flat()).toHaveLength(3);
    });
  });

  it("refuses a name that is not UTF-8", async () => {
    const code = await codeAfter((root) =>
      writeFile(Buffer.concat([Buffer.from(`${root}/redis/db_0/strings/`), Buffer.from([0xff])]), "x"),
    );
    expect(code).toBe("TREE_INVALID");
  });
});

describe("what the system does not let be read", () => {
  it("is the dump's fault and no bug: the dump's own path", async () => {
    const path = join(tmpdir(), "x".repeat(300));
    expect((await restoreErrorOf(withDump(path, async () => undefined))).code).toBe("DUMP_UNREADABLE");
  });

  // Nothing is forbidden to root.
  it
    .skipIf(process.getuid?.() === 0)
    .each(["MANIFEST.json", "CHECKSUMS", "redis", "redis/db_0", ...Object.keys(FILES).slice(0, 1)])(
    "is the dump's fault and no bug, and the hint speaks of rights: %s",
    async (name) => {
      await withBuilt({ files: FILES }, async (root) => {
        await chmod(join(root, name), 0);
        const read = await restoreErrorOf(readWhole(root)).finally(() => chmod(join(root, name), 0o700));
        expect(read.code).toBe("DUMP_UNREADABLE");
        expect(read.hint).toContain("Let this user read the whole dump");
      });
    },
  );
});

describe("the manifest that was parsed", () => {
  it("has to be the one that was checked", async () => {
    await withBuilt({ files: FILES }, (root) =>
      withDump(root, async (dump) => {
        await appendFile(join(root, "MANIFEST.json"), "\n");
        await rewriteRows((rows) => rows)(root);
        expect((await restoreErrorOf(dump.check())).code).toBe("CHECKSUM_MISMATCH");
      }),
    );
  });
});

describe("CHECKSUMS", () => {
  it("is needed", async () => {
    expect(await codeAfter((root) => rm(join(root, "CHECKSUMS")))).toBe("CHECKSUMS_MISSING");
  });

  it.each([
    ["no rows", () => []],
    ["a blank line", (rows: string[]) => [...rows, "\n"]],
    ["a malformed line", (rows: string[]) => [...rows, "abc  x\n"]],
    ["CR LF", (rows: string[]) => rows.map((row) => row.replace("\n", "\r\n"))],
    ["a path twice", (rows: string[]) => [...rows, ...rows.slice(0, 1)]],
    ["a path twice in a row", (rows: string[]) => rows.flatMap((row) => [row, row])],
    ["an absolute path", () => [checksumRow("/etc/passwd", Buffer.alloc(0))]],
    ["a path that climbs", () => [checksumRow("redis/../../x", Buffer.alloc(0))]],
    ["an empty segment", () => [checksumRow("redis//x", Buffer.alloc(0))]],
    ["an unknown escape", (rows: string[]) => [...rows, `\\${"0".repeat(64)}  a\\tb\n`]],
    [
      "a path that no system opens",
      (rows: string[]) => [...rows, checksumRow("s3/b/".padEnd(70_000, "x"), Buffer.alloc(0))],
    ],
    ["a single space", (rows: string[]) => rows.map((row) => row.replace("  ", " "))],
  ])("is refused with %s", async (_what, change) => {
    expect(await codeAfter(rewriteRows(change))).toBe("CHECKSUMS_INVALID");
  });

  it.each([
    ["in any order", (rows: string[]) => rows.reverse()],
    ["with upper-case digests", (rows: string[]) => rows.map((row) => row.slice(0, 64).toUpperCase() + row.slice(64))],
    ["of binary mode", (rows: string[]) => rows.map((row) => row.replace("  ", " *"))],
    ["with a leading ./", (rows: string[]) => rows.map((row) => row.replace("  ", "  ./"))],
    ["without a last line feed", (rows: string[]) => [rows.join("").slice(0, -1)]],
  ])("is taken %s", async (_what, change) => {
    await withBuilt({ files: FILES }, async (root) => {
      await rewriteRows(change)(root);
      expect([...(await readWhole(root)).records.values()].flat()).toHaveLength(3);
    });
  });

  it("is taken with its last row out of order, whose files are counted and compared once", async () => {
    const names = Array.from({ length: 4_000 }, (_, at) => `redis/db_0/strings/${String(at).padStart(40, "k")}.bin`);
    await withBuilt({ files: Object.fromEntries(names.map((name) => [name, "v"])) }, async (root) => {
      await rewriteRows(([first = "", ...others]) => [...others, first])(root);
      await withDump(root, async (dump) => expect((await dump.check()).files).toBe(names.length + 1));
      await writeFile(join(root, names[1] ?? ""), "w");
      const { code, message } = await restoreErrorOf(readWhole(root));
      expect({ code, problems: message.match(/has another digest/g)?.length }).toEqual({
        code: "CHECKSUM_MISMATCH",
        problems: 1,
      });
    });
  });

  it("escapes newline, carriage return and backslash as coreutils do", async () => {
    const name = "s3/b/line\nfeed\r\\x";
    const files = { "s3/b/_bucket.json": { format_version: 1, name: "b" }, [name]: "body" };
    await withBuilt({ files }, async (root) => {
      execFileSync("sha256sum", ["--quiet", "-c", "CHECKSUMS"], { cwd: root });
      const { records } = await readWhole(root);
      expect(records.get("s3:b")).toMatchObject([{ key: "line\nfeed\r\\x" }]);
    });
  });

  it("does not vouch for a directory that is not there", async () => {
    expect(MANIFEST.phase).toBe("phase1-live-pinned");
    const code = await codeAfter((root) => rm(join(root, "redis"), { recursive: true }));
    expect(code).toBe("FILE_MISSING");
  });
});

describe("a scope whose directory is gone after the check", () => {
  it.each(["redis/db_0", "redis"])("is not left out without a word: %s", async (directory) => {
    const files = { ...FILES, "redis/db_1/strings/a.bin": "x", "s3/b/_bucket.json": { name: "b" } };
    await withBuilt({ files }, (root) =>
      withDump(root, async (dump) => {
        await dump.check();
        await rm(join(root, directory), { recursive: true });
        expect(await restoreErrorOf(dump.scopes(EVERYTHING))).toMatchObject({
          code: "TREE_INVALID",
          where: { path: "redis/db_0" },
        });
      }),
    );
  });
});

describe("an adapter's directory that is a symbolic link", () => {
  it("is not followed before the check either", async () => {
    await withBuilt({ files: { "redis/db_7": null } }, (elsewhere) =>
      withBuilt({ files: FILES }, async (root) => {
        await rm(join(root, "redis"), { recursive: true });
        await symlink(join(elsewhere, "redis"), join(root, "redis"));
        await withDump(root, async (dump) => {
          expect(await dump.outline()).toEqual([]);
          expect((await restoreErrorOf(dump.check())).code).toBe("TREE_INVALID");
        });
      }),
    );
  });
});

describe("a file that changes after the check", () => {
  it("fails its own record and leaves the others", async () => {
    await withBuilt({ files: FILES }, (root) =>
      withDump(root, async (dump) => {
        await dump.check();
        const [scope] = await dump.scopes({ wants: () => true, targetName: (_adapter, name) => name });
        if (scope?.adapter !== "redis") throw new Error("no database");
        await writeFile(join(root, "redis/db_0/lists/l.json"), '{"items":["y"]}');
        const kinds: string[] = [];
        for await (const record of readRecords(dump, scope)) {
          kinds.push(record.kind === "faulty" ? `${record.outcome} ${record.reason}` : record.kind);
        }
        expect(kinds).toEqual(["failed changed-after-check", "string", "string"]);
      }),
    );
  });

  it("keeps to the names that KEYMAP held when it was checked", async () => {
    const long = fallbackOf("k".repeat(300));
    const files = {
      "redis/db_0/KEYMAP.jsonl": [long.line],
      [`redis/db_0/strings/${long.segment}.bin`]: "x",
      "redis/db_0/strings/plain.bin": "x",
    };
    expect(await readAfter(files, "redis/db_0/KEYMAP.jsonl")).toEqual({ ["k".repeat(300)]: "string", plain: "string" });
  });

  it("keeps to the objects' names that a bucket's KEYMAP held when it was checked", async () => {
    const renamed = { encoded: "to.elastickv-leaf-data", original: "dG8", kind: "s3-leaf-data" };
    const files = {
      "s3/photos/_bucket.json": { name: "photos" },
      "s3/photos/KEYMAP.jsonl": [renamed],
      ...s3Object("s3/photos/to.elastickv-leaf-data", "x"),
      ...s3Object("s3/photos/other", "x"),
    };
    expect(await readAfter(files, "s3/photos/KEYMAP.jsonl")).toEqual({ to: "object", other: "object" });
  });

  it("keeps to the times that a file of expiry times held when it was checked", async () => {
    const files = {
      "redis/db_0/strings/a.bin": "x",
      "redis/db_0/strings/b.bin": "x",
      "redis/db_0/strings_ttl.jsonl": [{ key: "a", expire_at_ms: 4_000_000_000_000 }],
    };
    expect(await readAfter(files, "redis/db_0/strings_ttl.jsonl")).toEqual({ a: "string 4000000000000", b: "string" });
  });

  /** What each key is read as when `changed` is damaged after the scopes were read. */
  async function readAfter(files: Record<string, DumpFile>, changed: string): Promise<Record<string, string>> {
    const kinds: Record<string, string> = {};
    await withBuilt({ files }, (root) =>
      withDump(root, async (dump) => {
        await dump.check();
        const [scope] = await dump.scopes({ wants: () => true, targetName: (_adapter, name) => name });
        if (scope === undefined) throw new Error("no scope");
        const records = readRecords(dump, scope);
        await writeFile(join(root, changed), "{}\n");
        for await (const record of records) {
          const time = "expireAtMs" in record ? ` ${record.expireAtMs}` : "";
          kinds[record.displayKey] = `${record.kind}${time}`;
        }
      }),
    );
    return kinds;
  }

  it("ends a file of lines with one failed record", async () => {
    const files = { "sqs/q/_queue.json": { name: "q" }, "sqs/q/messages.jsonl": [{ message_id: "1", body: "a" }] };
    await withBuilt({ files }, (root) =>
      withDump(root, async (dump) => {
        await dump.check();
        const [scope] = await dump.scopes({ wants: () => true, targetName: (_adapter, name) => name });
        if (scope?.adapter !== "sqs") throw new Error("no queue");
        await writeFile(join(root, "sqs/q/messages.jsonl"), "{}\n");
        expect(await collect(readRecords(dump, scope))).toMatchObject([
          { kind: "faulty", outcome: "failed", reason: "changed-after-check", place: { line: 1 } },
        ]);
      }),
    );
  });
});
