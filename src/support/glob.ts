/**
 * Globs over record keys: `*` any run of characters, `?` one, `[abc]`, `[a-z]` and `[!a-z]` one of a set, `\` takes the
 * next literally. A `[` that no `]` closes stands for itself. Matching takes no more than time in proportion to the
 * key's length times the glob's, whatever the two are.
 */

/** @throws SyntaxError for a set whose range runs backwards */
export function globToRegExp(glob: string): RegExp {
  const [first = "", ...rest] = splitAtStars(glob);
  const last = rest.pop();
  if (last === undefined) return new RegExp(`^${first}$`, "u");
  // The leftmost match of a piece between stars is as good as any other. A lookahead never gives back what it took, so
  // the engine does not try them all.
  const middle = rest.map((piece, i) => `(?=(?<p${i}>[^]*?${piece}))\\k<p${i}>`);
  return new RegExp(`^${first}${middle.join("")}[^]*${last}$`, "u");
}

/** The sources of the pieces between the stars: one more than there are stars. */
function splitAtStars(glob: string): string[] {
  const chars = [...glob];
  const pieces = [""];
  const add = (source: string) => pieces.push(`${pieces.pop() ?? ""}${source}`);
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? "";
    const set = char === "[" ? setAt(chars, i) : undefined;
    if (char === "*") pieces.push("");
    else if (char === "?") add("[^]");
    else if (char === "\\" && i + 1 < chars.length) add(escapeRegExp(chars[++i] ?? ""));
    else if (set !== undefined) {
      add(set.source);
      i = set.end;
    } else add(escapeRegExp(char));
  }
  return pieces;
}

/** The set that opens at `start`, or nothing where none closes. A `]` that stands first is a member. */
function setAt(chars: readonly string[], start: number): { readonly source: string; readonly end: number } | undefined {
  const isNegated = chars[start + 1] === "!" || chars[start + 1] === "^";
  const from = start + (isNegated ? 2 : 1);
  let members = "";
  for (let i = from; i < chars.length; i++) {
    const char = chars[i] ?? "";
    if (char === "]" && i > from) return { source: `[${isNegated ? "^" : ""}${members}]`, end: i };
    if (char === "\\" && i + 1 < chars.length) members += escapeMember(chars[++i] ?? "");
    else members += char === "-" && i > from && chars[i + 1] !== "]" ? "-" : escapeMember(char);
  }
  return undefined;
}

function escapeMember(char: string): string {
  return /[\\\]^[-]/.test(char) ? `\\${char}` : char;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
