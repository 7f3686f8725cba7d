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
  from: { readonly offset: number; readonly line: number } = { offset: 0, line: 0 },
  maxBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let partBytes = 0;
  let { offset: start, line } = from;
  const finish = (last: Buffer, end: number): Line => {
    const length = partBytes + last.length;
    const bytes = length > maxBytes ? undefined : parts.length === 0 ? last : Buffer.concat([...parts, last]);
    const result = { ...(bytes === undefined ? {} : { bytes }), line: ++line, start, end };
    [parts, partBytes, start] = [[], 0, end];
    return result;
  };
  let position = start;
  for await (const block of blocks) {
    let at = 0;
    for (let feed = block.indexOf(10); feed >= 0; feed = block.indexOf(10, at)) {
      yield finish(block.subarray(at, feed), position + feed + 1);
      at = feed + 1;
    }
    if (at < block.length) {
      const rest = block.subarray(at);
      partBytes += rest.length;
      if (partBytes <= maxBytes) parts.push(rest);
      else parts = [];
    }
    position += block.length;
  }
  if (partBytes > 0) {
    const last = parts.pop() ?? Buffer.alloc(0);
    partBytes -= last.length;
    yield finish(last, position);
  }
}
