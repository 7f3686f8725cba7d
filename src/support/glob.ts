/** Globs over record keys: `*` any run of characters, `?` one, `[abc]` and `[a-z]` one of a set, `\` takes the next literally. */

export function globToRegExp(glob: string): RegExp {
  let source = "";
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i] ?? "";
    if (char === "*") source += "[^]*";
    else if (char === "?") source += "[^]";
    else if (char === "\\" && i + 1 < glob.length) source += escapeRegExp(glob[++i] ?? "");
    else if (char === "[" && glob.indexOf("]", i + 2) > 0) {
      const end = glob.indexOf("]", i + 2);
      source += `[${glob
        .slice(i + 1, end)
        .replaceAll("\\", "\\\\")
        .replace(/^!/, "^")
        .replaceAll("[", "\\[")}]`;
      i = end;
    } else source += escapeRegExp(char);
  }
  return new RegExp(`^${source}$`, "u");
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
