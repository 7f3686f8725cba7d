/** Redis's protocol as it stands on the line: where a command and a reply end. */

/** A command of a client, whole. */
export interface RespCommand {
  readonly words: readonly Buffer[];
  readonly bytes: Buffer;
}

/** The first command of what was read so far; undefined while it is not all there. */
export function firstCommand(read: Buffer): RespCommand | undefined {
  const head = lineAt(read, 0);
  if (head === undefined) return undefined;
  const words: Buffer[] = [];
  let at = head.end;
  for (let left = Number(head.text.slice(1)); left > 0; left--) {
    const size = lineAt(read, at);
    if (size === undefined) return undefined;
    const end = size.end + Number(size.text.slice(1));
    if (read.length < end + 2) return undefined;
    words.push(read.subarray(size.end, end));
    at = end + 2;
  }
  return { words, bytes: read.subarray(0, at) };
}

/** Where the reply that begins at `at` ends; undefined while it is not all there. */
export function endOfReply(read: Buffer, at = 0): number | undefined {
  const head = lineAt(read, at);
  if (head === undefined) return undefined;
  const count = Number(head.text.slice(1));
  switch (head.text[0]) {
    case "$":
      return count < 0 ? head.end : within(read, head.end + count + 2);
    case "*": {
      let end: number | undefined = head.end;
      for (let left = count; left > 0 && end !== undefined; left--) end = endOfReply(read, end);
      return end;
    }
    default:
      return head.end;
  }
}

export function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

function within(read: Buffer, end: number): number | undefined {
  return read.length < end ? undefined : end;
}

function lineAt(read: Buffer, at: number): { readonly text: string; readonly end: number } | undefined {
  const end = read.indexOf("\r\n", at, "latin1");
  return end < 0 ? undefined : { text: read.toString("latin1", at, end), end: end + 2 };
}
