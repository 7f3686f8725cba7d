/** Regular expressions of an assertions file: the operator's own, in Unicode mode. */

function compiled(pattern: string): RegExp {
  return new RegExp(pattern, "su");
}

export const isMatch = {
  compiles(pattern: string): boolean {
    try {
      compiled(pattern);
      return true;
    } catch {
      return false;
    }
  },
  /** Anywhere in the text, unless the pattern is anchored. */
  test(pattern: string, value: string): boolean {
    return compiled(pattern).test(value);
  },
};
