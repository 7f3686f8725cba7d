/** The tree: a dump holds regular files and directories, each under one name, and nothing leads out of it. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { type DumpFile, s3Object } from "../dump-builder.js";
import { type LegalCase, type RefusedCase, resealed, shell, soundWith } from "./case.js";
import { bucket, object, string } from "./holdings.js";

const STRING = "redis/db_0/strings/sound.bin";

const damaged = (name: string, script: string, ...says: string[]): RefusedCase => ({
  name,
  damage: shell(script),
  says,
});

const links: readonly RefusedCase[] = [
  damaged(
    "a file is a link to another of the dump",
    `cd redis/db_0/strings; cp sound.bin ../../../.scratch.tmp-1; ln -sf ../../../.scratch.tmp-1 sound.bin`,
    STRING,
    "link",
  ),
  damaged(
    "a file is a link to the right bytes outside",
    `mv ${STRING} "$PWD-outside"; ln -s "$PWD-outside" ${STRING}`,
    STRING,
    "link",
  ),
  damaged("a link leads to nothing", "ln -s nothing s3/sound-bucket/dangling", "s3/sound-bucket/dangling", "link"),
  damaged("a link leads to itself", "ln -s loop s3/sound-bucket/loop", "s3/sound-bucket/loop", "link"),
  damaged("an unlisted link leads out of the dump", "ln -s /etc redis/db_1", "redis/db_1", "link"),
  damaged(
    "a scope is a link to a directory outside",
    'mv redis/db_0 "$PWD-outside"; ln -s "$PWD-outside" redis/db_0',
    "redis/db_0",
    "link",
  ),
  damaged("an adapter is a link", "mv s3 s3x; ln -s s3x s3", "s3", "link"),
  damaged("a link has the name of debris", `ln -s ${STRING} redis/.a.tmp-1`, "redis/.a.tmp-1", "link"),
  damaged(
    "MANIFEST.json is a link",
    "mv MANIFEST.json .m.tmp-1; ln -s .m.tmp-1 MANIFEST.json",
    "MANIFEST.json",
    "link",
  ),
  damaged("CHECKSUMS is a link", "mv CHECKSUMS .c.tmp-1; ln -s .c.tmp-1 CHECKSUMS", "CHECKSUMS", "link"),
  {
    name: "a file has two names",
    damage: resealed(shell(`ln ${STRING} redis/db_0/strings/twin.bin`)),
    says: ["redis/db_0/strings/", "link"],
  },
  {
    name: "a file has names in two scopes",
    damage: resealed(shell(`ln ${STRING} s3/sound-bucket/twin`)),
    says: ["link"],
  },
];

const things: readonly RefusedCase[] = [
  damaged("a FIFO stands in a file's place", `rm ${STRING}; mkfifo ${STRING}`, STRING, "FIFO"),
  damaged("an unlisted FIFO stands there", "mkfifo s3/sound-bucket/fifo", "s3/sound-bucket/fifo", "FIFO"),
  damaged("MANIFEST.json is a FIFO", "rm MANIFEST.json; mkfifo MANIFEST.json", "MANIFEST.json"),
  damaged("CHECKSUMS is a FIFO", "rm CHECKSUMS; mkfifo CHECKSUMS", "CHECKSUMS"),
  damaged("MANIFEST.json is a directory", "rm MANIFEST.json; mkdir MANIFEST.json", "MANIFEST.json"),
  damaged("CHECKSUMS is a directory", "rm CHECKSUMS; mkdir CHECKSUMS", "CHECKSUMS"),
  {
    name: "a socket stands there",
    damage: (root) => leaveSocket(join(root, "redis/db_0/end")),
    says: ["redis/db_0/end", "is a socket"],
  },
];

/** Closing a server removes its socket: one is left by taking another name for it first. */
function leaveSocket(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(`${path}.first`, () => {
      execFileSync("mv", [`${path}.first`, path]);
      server.close(() => resolve());
    });
  });
}

/** Needs to be root: where it is not, the case is left out. */
const device: readonly RefusedCase[] =
  process.getuid?.() === 0
    ? [damaged("a device stands there", "mknod redis/db_0/device c 1 5", "redis/db_0/device")]
    : [];

const names: readonly RefusedCase[] = [
  {
    name: "a name is not UTF-8",
    damage: (root) =>
      writeFileSync(Buffer.concat([Buffer.from(`${root}/s3/sound-bucket/`), Buffer.from([0x61, 0xff])]), "x"),
    says: ["s3/sound-bucket/", "UTF-8"],
  },
  damaged(
    "a directory's name is not UTF-8",
    "mkdir $'s3/sound-bucket/\\xe9'; printf x > $'s3/sound-bucket/\\xe9/a'",
    "s3/sound-bucket/",
    "UTF-8",
  ),
  damaged(
    "a path is longer than the system takes",
    `cd s3/sound-bucket; for i in {1..30}; do mkdir ${"d".repeat(200)}; cd ${"d".repeat(200)}; done; printf x > deep`,
    "s3/sound-bucket/dddd",
    "deep",
  ),
  {
    name: "an adapter is a file",
    dump: soundWith({}),
    damage: resealed(shell("rm -r redis; printf x > redis")),
    says: ["redis"],
  },
];

export const TREE_REFUSED = [...links, ...things, ...device, ...names];

const KEYS = [
  "Key",
  "key",
  "KEY",
  "..",
  ".",
  "...",
  "..a",
  "-rf",
  "CON",
  "a.bin",
  "__proto__",
  "%",
  "\u0000",
  "\n",
  "~",
  "/",
  "../../x",
];
const segment = (key: string) =>
  Buffer.from(key)
    .toString("latin1")
    .replaceAll(/[^A-Za-z0-9._-]/gu, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);

const OBJECTS = [
  "Case",
  "case",
  "caf\u00e9",
  "cafe\u0301",
  "..a",
  "...",
  "a/..b/c",
  "-rf",
  " two",
  "*star",
  "end ",
  "end.",
  "__proto__",
  "constructor",
  "two words",
  "%41",
  "a+b&c?d#e=f;g",
  "*?[x]",
  "\u{1f600}",
  "\u202eevil",
  "bell\u0007",
  "MANIFEST.json",
  "CHECKSUMS",
  "items/_schema.json",
  `${"d".repeat(200)}/${"e".repeat(200)}/f`,
  "redis/db_0/strings/x.bin",
];
const inBucket = (keys: readonly string[]): Record<string, DumpFile> =>
  Object.assign({}, ...keys.map((key, index) => s3Object(`s3/corpus-names/${key}`, `body ${index}`)));

export const TREE_LEGAL: readonly LegalCase[] = [
  {
    name: "keys that look like paths, or differ by case alone",
    dump: { files: Object.fromEntries(KEYS.map((key) => [`redis/db_0/strings/${segment(key)}.bin`, `is ${key}`])) },
    holds: KEYS.map((key) => string(key, `is ${key}`)),
  },
  {
    name: "objects with awkward names",
    dump: {
      files: { "s3/corpus-names/_bucket.json": { format_version: 1, name: "corpus-names" }, ...inBucket(OBJECTS) },
    },
    holds: [bucket("corpus-names"), ...OBJECTS.map((key, index) => object("corpus-names", key, `body ${index}`))],
  },
  {
    name: "files that a backup tool linked from outside",
    dump: { files: { "redis/db_0/strings/k.bin": "v" } },
    damage: shell('ln redis/db_0/strings/k.bin "$PWD-outside"'),
    holds: [string("k", "v")],
  },
  {
    name: "files that nobody but the owner may read, and may be executed",
    dump: { files: { "redis/db_0/strings/k.bin": "v" } },
    damage: shell("chmod 500 redis/db_0/strings/k.bin; chmod 400 CHECKSUMS MANIFEST.json"),
    holds: [string("k", "v")],
  },
  {
    name: "empty directories anywhere",
    dump: {
      files: {
        "redis/db_0/strings/k.bin": "v",
        "redis/db_0/hashes": null,
        ".scratch": null,
        "redis/db_0/sets/x": null,
      },
    },
    holds: [string("k", "v")],
  },
  {
    name: "files where only scopes belong",
    dump: { files: { "redis/db_0/strings/k.bin": "v", "redis/notes.txt": "x", "redis/db_1": "x" } },
    holds: [string("k", "v")],
    warns: ["redis/notes.txt", "redis/db_1"],
  },
];
