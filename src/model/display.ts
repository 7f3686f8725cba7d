/** How keys and names from a dump are shown: printable text, nothing that could move a cursor or reorder a line. */

const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;

/** Nothing in it to escape; most keys are so, and each is shown. */
const PLAIN = /^[ -[\]-~]*$/;

/** Escapes control, formatting and bidirectional characters as `\u{…}`, and the backslash that would hide one. */
export function escapeForDisplay(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replaceAll("\\", "\\\\").replace(UNSAFE, escaped);
}

/** Escapes what `escapeForDisplay` does but for line breaks and backslashes: for text whose parts were escaped before. */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (char) => (char === "\n" ? char : escaped(char)));
}

/**
 * JSON that steers no terminal and no editor: such characters stand as `\uHHHH`, which every reader of JSON turns back.
 * Bigints become strings of their digits. `indent` as `JSON.stringify` takes it.
 */
export function printableJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(
    value,
    (_name, member: unknown) => (typeof member === "bigint" ? String(member) : member),
    indent,
  );
  return text.replace(UNSAFE, (char) => (char === "\n" ? char : char.split("").map(codeUnit).join("")));
}

function codeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function escaped(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}

/** A binary-safe key as text: itself when valid UTF-8, else `base64:<base64url>`. Escaped. */
export function displayBytes(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? escapeForDisplay(text) : `base64:${bytes.toString("base64url")}`;
}
