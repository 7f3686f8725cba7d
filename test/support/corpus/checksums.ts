/** CHECKSUMS: what `sha256sum -c` would refuse, and the leniencies of it that are taken over or not. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { s3Object } from "../dump-builder.js";
import { BOM, checksums, type LegalCase, type RefusedCase, resealed, SOUND_FILES, shell } from "./case.js";
import { bucket, object, string } from "./holdings.js";

const ZEROS = "0".repeat(64);
const ROWS = Object.keys(SOUND_FILES).length + 1;

function changed(name: string, change: (text: string) => string | Buffer, ...says: string[]): RefusedCase {
  return { name, damage: checksums(change), says: ["CHECKSUMS", ...says] };
}

/** A row behind all others. */
const row = (name: string, text: string, ...says: string[]) =>
  changed(name, (rows) => `${rows}${text}\n`, `CHECKSUMS:${ROWS + 1}`, ...says);

const firstDigest = (change: (digest: string) => string) => (rows: string) => rows.replace(/^[0-9a-f]{64}/u, change);

const malformed: readonly RefusedCase[] = [
  { name: "there is none", damage: shell("rm CHECKSUMS"), says: ["CHECKSUMS", "reseal"] },
  changed("it is empty", () => "", "no rows"),
  changed("it is a line feed", () => "\n", "CHECKSUMS:1"),
  changed("it begins with a blank line", (rows) => `\n${rows}`, "CHECKSUMS:1"),
  changed("it ends with a blank line", (rows) => `${rows}\n`, `CHECKSUMS:${ROWS + 1}`),
  changed("its lines end in CR LF", (rows) => rows.replaceAll("\n", "\r\n"), "CHECKSUMS:1", "CR LF"),
  changed("its last line ends in CR LF", (rows) => rows.replace(/\n$/u, "\r\n"), `CHECKSUMS:${ROWS}`, "CR LF"),
  changed("a byte order mark stands before it", (rows) => BOM + rows, "CHECKSUMS:1"),
  changed("it is UTF-16", (rows) => Buffer.from(rows, "utf16le"), "CHECKSUMS:1"),
  changed(
    "a digest has 63 digits",
    firstDigest((digest) => digest.slice(1)),
    "CHECKSUMS:1",
  ),
  changed(
    "a digest has 65 digits",
    firstDigest((digest) => `${digest}0`),
    "CHECKSUMS:1",
  ),
  changed(
    "a digest holds a letter beyond f",
    firstDigest((digest) => `g${digest.slice(1)}`),
    "CHECKSUMS:1",
  ),
  changed(
    "a digest is that of another algorithm",
    firstDigest((digest) => digest + digest),
    "CHECKSUMS:1",
  ),
  changed("one space stands before a path", (rows) => rows.replace("  ", " "), "CHECKSUMS:1"),
  changed("a tab stands before a path", (rows) => rows.replace("  ", "\t"), "CHECKSUMS:1"),
  changed("a space stands before a digest", (rows) => ` ${rows}`, "CHECKSUMS:1"),
  row("a comment stands there", "# by hand"),
  row("a row has the form of BSD", `SHA256 (redis/db_0/strings/sound.bin) = ${ZEROS}`),
  row("a row has no path", `${ZEROS}  `),
  row("a path is not UTF-8 in an escape that does not exist", `\\${ZEROS}  a\\x41`, "escape"),
  row("a path ends in half an escape", `\\${ZEROS}  a\\`, "escape"),
  changed(
    "a path is not UTF-8",
    (rows) => Buffer.concat([Buffer.from(`${rows}${ZEROS}  `), Buffer.from([0xff, 10])]),
    `CHECKSUMS:${ROWS + 1}`,
  ),
  changed("a row is cut off", (rows) => rows.slice(0, -30)),
];

const paths: readonly RefusedCase[] = [
  row("a path is absolute", `${ZEROS}  /etc/passwd`, "absolute"),
  row("a path is absolute behind ./", `${ZEROS}  .//etc/passwd`),
  row("a path leads out of the dump", `${ZEROS}  ../outside`, "`..`"),
  row("a path leads out of the dump further down", `${ZEROS}  redis/../../outside`, "`..`"),
  row("a path leads out of the dump behind an escape", `\\${ZEROS}  ../out\\nside`, "`..`"),
  row("a path goes out of a directory and back", `${ZEROS}  redis/../MANIFEST.json`, "`..`"),
  row("a path has an empty segment", `${ZEROS}  redis//db_0`),
  row("a path has a . segment", `${ZEROS}  redis/./db_0`),
  row("a path is .", `${ZEROS}  .`),
  row("a path ends in a slash", `${ZEROS}  redis/db_0/`),
  row("a path holds NUL", `${ZEROS}  redis/\0`),
  changed("a path is listed twice", (rows) => `${rows + rows.split("\n", 1)[0]}\n`, "MANIFEST.json", "twice"),
  changed(
    "a path is listed twice, once behind ./",
    (rows) => `${rows + (rows.split("\n", 1)[0] ?? "").replace("  ", "  ./")}\n`,
    "MANIFEST.json",
    "twice",
  ),
  changed("a row follows its like", (rows) => rows.replace(/^(.*\n)/u, "$1$1"), "CHECKSUMS:2", "twice"),
  row("a path is listed twice with another digest", `${ZEROS}  redis/db_0/strings/sound.bin`, "twice"),
  row("it lists itself", `${ZEROS}  CHECKSUMS`, `CHECKSUMS:${ROWS + 1}`, "itself"),
];

const differences: readonly RefusedCase[] = [
  {
    name: "a file differs",
    damage: shell("printf x >> redis/db_0/strings/sound.bin"),
    says: ["redis/db_0/strings/sound.bin", "digest", "reseal"],
  },
  {
    name: "a file was emptied",
    damage: shell(": > s3/sound-bucket/object"),
    says: ["s3/sound-bucket/object", "digest"],
  },
  {
    name: "a listed file is missing",
    damage: shell("rm dynamodb/sound-table/items/a.json"),
    says: ["dynamodb/sound-table/items/a.json", "missing"],
  },
  {
    name: "a listed file is a directory",
    damage: shell("rm redis/db_0/strings/sound.bin; mkdir redis/db_0/strings/sound.bin"),
    says: ["redis/db_0/strings/sound.bin"],
  },
  {
    name: "a file is not listed",
    damage: shell("printf x > redis/db_0/strings/extra.bin"),
    says: ["redis/db_0/strings/extra.bin", "not listed"],
  },
  {
    name: "the manifest is not listed",
    damage: checksums((rows) => rows.replace(/^.*MANIFEST\.json\n/mu, "")),
    says: ["MANIFEST.json", "not listed"],
  },
  {
    name: "an unknown file at the root is not listed",
    damage: shell("printf x > notes.txt"),
    says: ["notes.txt", "not listed"],
  },
  {
    name: "debris lies in a .scratch that is not the root's",
    damage: shell("mkdir redis/db_0/.scratch; printf x > redis/db_0/.scratch/half"),
    says: ["redis/db_0/.scratch/half"],
  },
  {
    name: "a name only begins like debris",
    damage: shell("printf x > redis/db_0/strings/.a.tmp"),
    says: ["redis/db_0/strings/.a.tmp"],
  },
  {
    name: "a path with a line feed is listed unescaped",
    damage: async (root) => {
      writeFileSync(join(root, "s3/sound-bucket/two\nlines"), "x");
      await resealed(() => undefined)(root);
      await checksums((rows) => rows.replace("two\\nlines", "two\nlines"))(root);
    },
    says: ["CHECKSUMS"],
  },
  {
    name: "two files were exchanged",
    damage: shell(
      "cd s3/sound-bucket; mv object x; mv object.elastickv-meta.json object; mv x object.elastickv-meta.json",
    ),
    says: ["s3/sound-bucket/object has", "s3/sound-bucket/object.elastickv-meta.json has"],
  },
];

export const CHECKSUMS_REFUSED = [...malformed, ...paths, ...differences];

const FILES = { "redis/db_0/strings/a-b.bin": "1", "redis/db_0/strings/a.bin": "2" };
const HOLDS = [string("a-b", "1"), string("a", "2")];

const lenient = (name: string, change: (rows: string) => string): LegalCase => ({
  name,
  dump: { files: FILES },
  damage: checksums(change),
  holds: HOLDS,
});

export const CHECKSUMS_LEGAL: readonly LegalCase[] = [
  lenient("digests in upper case", (rows) => rows.replaceAll(/^[0-9a-f]{64}/gmu, (digest) => digest.toUpperCase())),
  lenient("paths behind space and asterisk", (rows) => rows.replaceAll("  ", " *")),
  lenient("paths behind ./", (rows) => rows.replaceAll("  ", "  ./")),
  lenient("rows in no order", (rows) => `${rows.trimEnd().split("\n").reverse().join("\n")}\n`),
  lenient("rows in the order of a directory walk", (rows) =>
    rows
      .trimEnd()
      .split("\n")
      .sort((a, b) => (a.slice(66) < b.slice(66) ? 1 : -1))
      .join("\n"),
  ),
  lenient("no line feed at the end", (rows) => rows.trimEnd()),
  lenient("rows marked as escaped that have nothing to escape", (rows) =>
    rows.replaceAll(/^/gmu, "\\").replace(/\\$/u, ""),
  ),
  {
    name: "what a crashed writer left, unlisted",
    dump: { files: { ...FILES, ".scratch": null } },
    damage: shell(
      "printf x > .scratch/half; mkdir .scratch/deep; printf x > .scratch/deep/er; printf x > .MANIFEST.json.77.tmp; printf x > redis/db_0/strings/.a.bin.tmp-123; printf x > redis/.b.tmp-",
    ),
    holds: HOLDS,
  },
  {
    name: "a remap file of an earlier restore, unlisted",
    dump: { files: { ...FILES, "redis/db_0/streams": null } },
    damage: shell("printf x > redis/db_0/streams/s._id_remap.jsonl"),
    holds: HOLDS,
  },
  {
    name: "listed files with the names of debris: data",
    dump: {
      files: {
        "redis/db_0/strings/.a.tmp-1.bin": "x",
        "s3/corpus-debris/_bucket.json": { format_version: 1, name: "corpus-debris" },
        ...s3Object("s3/corpus-debris/.b.tmp-2", "y"),
      },
    },
    holds: [string(".a.tmp-1", "x"), bucket("corpus-debris"), object("corpus-debris", ".b.tmp-2", "y")],
  },
  {
    name: "paths that have to be escaped",
    dump: {
      files: {
        "s3/corpus-escapes/_bucket.json": { format_version: 1, name: "corpus-escapes" },
        ...s3Object("s3/corpus-escapes/two\nlines", "1"),
        ...s3Object("s3/corpus-escapes/carriage\rreturn", "2"),
        ...s3Object("s3/corpus-escapes/literal\\n", "3"),
      },
    },
    holds: [
      bucket("corpus-escapes"),
      object("corpus-escapes", "two\nlines", "1"),
      object("corpus-escapes", "carriage\rreturn", "2"),
      object("corpus-escapes", "literal\\n", "3"),
    ],
  },
];
