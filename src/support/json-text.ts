/** Steps over the bytes of JSON text, for those who make no value of it. Pure. */

export function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Behind the white space at `from`. */
export function behindSpace(text: Buffer, from: number): number {
  let at = from;
  // No byte is asked for that is not there: compiled code has to be thrown away for one.
  while (at < text.length && isSpace(text[at])) at++;
  return at;
}

export function standsAt(text: Buffer, at: number, word: Buffer): boolean {
  if (at + word.length > text.length) return false;
  for (let i = 0; i < word.length; i++) if (text[at + i] !== word[i]) return false;
  return true;
}
