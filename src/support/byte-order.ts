/** Orders strings as their UTF-8 bytes are ordered, which is how shipped dumps sort paths. */

const ABOVE_SURROGATES = /[\ud800-\uffff]/;

export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0;
  // UTF-16 order is UTF-8 order unless surrogates meet characters above them.
  if (!ABOVE_SURROGATES.test(a) || !ABOVE_SURROGATES.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
