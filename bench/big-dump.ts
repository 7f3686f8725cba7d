/** Dumps larger than memory, written as streams: no more of a file is held than a block, and of a dump its list of files. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { manifestText } from "../test/support/dump-builder.js";

const BLOCK_BYTES = 1_048_576;
/** Small pieces are joined before they are written and hashed. */
const JOINED_CHARS = 65_536;

export class BigDump {
  readonly path: string;
  readonly #digests: [path: string, digest: string][] = [];
  readonly #directories = new Set<string>();
  #bytes = 0;

  private constructor(path: string) {
    this.path = path;
  }

  /** In a folder of that name, which must not be there, or in a temporary one. */
  static async create(path?: string): Promise<BigDump> {
    if (path === undefined) return new BigDump(await mkdtemp(join(tmpdir(), "elastickv-restore-big-")));
    await mkdir(dirname(path), { recursive: true });
    await mkdir(path);
    return new BigDump(path);
  }

  /** Of all files so far, as they read; a sparse one takes less of the disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Streams one file in. Returns its sha256. */
  async add(path: string, blocks: Iterable<Buffer | string>): Promise<string> {
    await mkdir(dirname(join(this.path, path)), { recursive: true });
    const file = createWriteStream(join(this.path, path));
    const hash = createHash("sha256");
    for (const block of joined(blocks)) {
      hash.update(block);
      this.#bytes += Buffer.byteLength(block);
      if (!file.write(block)) await once(file, "drain");
    }
    file.end();
    await once(file, "close");
    return this.#list(path, hash.digest("hex"));
  }

  /** One of many small files: in one go, which is several times faster. */
  addSmall(path: string, content: Buffer | string): void {
    const directory = dirname(join(this.path, path));
    if (!this.#directories.has(directory)) mkdirSync(directory, { recursive: true });
    this.#directories.add(directory);
    writeFileSync(join(this.path, path), content);
    this.#bytes += Buffer.byteLength(content);
    this.#list(path, createHash("sha256").update(content).digest("hex"));
  }

  /** A file of zeros with these marks in it, sparse: it takes hardly any of the disk. Returns its sha256. */
  async addSparse(path: string, bytes: number, marks: ReadonlyMap<number, Buffer>): Promise<string> {
    await mkdir(dirname(join(this.path, path)), { recursive: true });
    const file = await open(join(this.path, path), "wx");
    try {
      await file.truncate(bytes);
      for (const [at, mark] of marks) await file.write(mark, 0, mark.length, at);
    } finally {
      await file.close();
    }
    this.#bytes += bytes;
    return this.#list(path, digestOfSparse(bytes, marks));
  }

  /** The manifest and CHECKSUMS, after the last file. */
  async seal(): Promise<void> {
    const adapters = new Set(this.#digests.map(([path]) => path.split("/")[0] ?? path));
    await this.add("MANIFEST.json", [manifestText(Object.fromEntries([...adapters].map((adapter) => [adapter, {}])))]);
    const rows = this.#digests.sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    const file = createWriteStream(join(this.path, "CHECKSUMS"));
    for (const [path, digest] of rows) if (!file.write(`${digest}  ${path}\n`)) await once(file, "drain");
    file.end();
    await once(file, "close");
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  #list(path: string, digest: string): string {
    this.#digests.push([path, digest]);
    return digest;
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

/** Marks stand at multiples of a block, in rising order, and are no longer than one. */
function digestOfSparse(bytes: number, marks: ReadonlyMap<number, Buffer>): string {
  const hash = createHash("sha256");
  const zeros = Buffer.alloc(BLOCK_BYTES);
  for (let at = 0; at < bytes; at += BLOCK_BYTES) {
    const length = Math.min(BLOCK_BYTES, bytes - at);
    const mark = marks.get(at)?.subarray(0, length) ?? Buffer.alloc(0);
    hash.update(mark).update(zeros.subarray(0, length - mark.length));
  }
  return hash.digest("hex");
}

function* joined(blocks: Iterable<Buffer | string>): Generator<Buffer | string> {
  let text = "";
  for (const block of blocks) {
    if (typeof block !== "string") {
      if (text !== "") yield text;
      text = "";
      yield block;
      continue;
    }
    text += block;
    if (text.length < JOINED_CHARS) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}
