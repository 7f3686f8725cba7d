/** Splits a file's bytes into lines, in memory bounded by the longest line allowed. */

/** Longest line. Bytes: an SQS message or DynamoDB item is far below, a KEYMAP line up to 1.4 MB. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** Of a line without bytes. */
export function tooLong(maxBytes: number = MAX_LINE_BYTES): string {
  return `the line is longer than ${maxBytes} bytes`;
}

export interface Line {
  /** Without the line feed; absent when the line is over the limit. */
  readonly bytes?: Buffer;
  /** 1-based. */
  readonly line: number;
  /** Bytes in the file: of the line's first byte, and behind its line feed. */
  readonly start: number;
  readonly end: number;
}

/** Lines end in LF; the last one need not. `from` continues behind a line that was read before. */
export async function* lines(
  blocks: AsyncIterable<Buffer>,
  from?: { readonly offset: number; readonly line: number },
  maxBytes?: number,
): AsyncGenerator<Line> {
  for await (const some of linesByBlock(blocks, from, maxBytes)) for (const line of some) yield line;
}

/** The same, some at once. */
export async function* linesByBlock(
  blocks: AsyncIterable<Buffer>,
  from: { readonly offset: number; readonly line: number } = { offset: 0, line: 0 },
  maxBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<readonly Line[]> {
  const splitter = new LineSplitter(from, maxBytes);
  for await (const block of blocks) {
    yield* splitter.take(block);
  }
  const last = splitter.end();
  if (last !== undefined) yield [last];
}

const LINES_AT_ONCE = 500;

class LineSplitter {
  readonly #maxBytes: number;
  /** Of the line that has begun: what was met of it so far, and how long it is. */
  #parts: Buffer[] = [];
  #partBytes = 0;
  #start: number;
  #line: number;

  constructor({ offset, line }: { readonly offset: number; readonly line: number }, maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#start = offset;
    this.#line = line;
  }

  /** The lines that end in this block. */
  *take(block: Buffer): Generator<readonly Line[]> {
    let found: Line[] = [];
    let at = 0;
    for (let feed = block.indexOf(10); feed >= 0; feed = block.indexOf(10, at)) {
      found.push(this.#finish(block.subarray(at, feed), 1));
      at = feed + 1;
      if (found.length < LINES_AT_ONCE) continue;
      yield found;
      found = [];
    }
    if (at < block.length) this.#keep(block.subarray(at));
    if (found.length > 0) yield found;
  }

  /** The last line, where no line feed ends it. */
  end(): Line | undefined {
    if (this.#partBytes === 0) return undefined;
    const last = this.#parts.pop() ?? Buffer.alloc(0);
    this.#partBytes -= last.length;
    return this.#finish(last, 0);
  }

  #keep(rest: Buffer): void {
    this.#partBytes += rest.length;
    if (this.#partBytes <= this.#maxBytes) this.#parts.push(rest);
    else this.#parts = [];
  }

  #finish(last: Buffer, feedBytes: number): Line {
    const length = this.#partBytes + last.length;
    const place = { line: ++this.#line, start: this.#start, end: this.#start + length + feedBytes };
    this.#start = place.end;
    const parts = this.#parts;
    [this.#parts, this.#partBytes] = [[], 0];
    if (length > this.#maxBytes) return place;
    return { bytes: parts.length === 0 ? last : Buffer.concat([...parts, last]), ...place };
  }
}
