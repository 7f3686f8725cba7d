/** Groups elements into chunks that a command can take: at most 1,000 of them and about 1 MiB. */

const MAX_ELEMENTS = 1000;
const MAX_BYTES = 1024 * 1024;

/** Cuts batches of any size anew. A chunk holds one element at least, however large. */
export async function* chunked<T>(
  batches: AsyncIterable<readonly T[]>,
  bytesOf: (element: T) => number,
): AsyncGenerator<T[]> {
  let chunk: T[] = [];
  let bytes = 0;
  for await (const batch of batches) {
    for (const element of batch) {
      const size = bytesOf(element);
      if (chunk.length >= MAX_ELEMENTS || (chunk.length > 0 && bytes + size > MAX_BYTES)) {
        yield chunk;
        [chunk, bytes] = [[], 0];
      }
      chunk.push(element);
      bytes += size;
    }
  }
  if (chunk.length > 0) yield chunk;
}

export function totalBytes(buffers: readonly Buffer[]): number {
  return buffers.reduce((sum, buffer) => sum + buffer.length, 0);
}
