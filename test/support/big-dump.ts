/** Dumps larger than memory, written as streams: nothing here holds more than a block. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { manifestText } from "./dump-builder.js";

const BLOCK_BYTES = 1_048_576;

export class BigDump {
  readonly path: string;
  readonly #digests = new Map<string, string>();

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<BigDump> {
    return new BigDump(await mkdtemp(join(tmpdir(), "elastickv-restore-big-")));
  }

  /** Streams one file in. Returns its sha256. */
  async add(path: string, blocks: Iterable<Buffer | string>): Promise<string> {
    await mkdir(dirname(join(this.path, path)), { recursive: true });
    const file = createWriteStream(join(this.path, path));
    const hash = createHash("sha256");
    for (const block of blocks) {
      hash.update(block);
      if (!file.write(block)) await once(file, "drain");
    }
    file.end();
    await once(file, "close");
    const digest = hash.digest("hex");
    this.#digests.set(path, digest);
    return digest;
  }

  /** The manifest and CHECKSUMS, after the last file. */
  async seal(adapter: string): Promise<void> {
    await this.add("MANIFEST.json", [manifestText({ [adapter]: {} })]);
    const lines = [...this.#digests].sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    await writeFile(join(this.path, "CHECKSUMS"), lines.map(([path, digest]) => `${digest}  ${path}\n`).join(""));
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** So many bytes in blocks of a mebibyte, no two alike; the same ones every time. */
export function* differingBlocks(bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; at += BLOCK_BYTES) {
    const block = Buffer.alloc(Math.min(BLOCK_BYTES, bytes - at));
    for (let word = 0; word + 4 <= block.length; word += 4) {
      block.writeUInt32LE((Math.imul(word + 1, 2_654_435_761) ^ Math.imul(at / BLOCK_BYTES + 1, 40_503)) >>> 0, word);
    }
    yield block;
  }
}
