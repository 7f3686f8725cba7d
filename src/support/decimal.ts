/** Decimal numbers as text, of any length: compared without ever becoming a floating-point number. */

/**
 * `1`, `1.0` and `1e0` are one number: digits without zeros at either end, and their exponent. Blanks around it do not
 * count: elastickv takes them off. Text that is no number stands for itself.
 */
export function canonicalNumber(text: string): string {
  const match = /^\s*([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?\s*$/.exec(text);
  if (match === null) return text;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = withoutZerosAtEnd(digits);
  if (significant === "") return "0";
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign === "-" ? "-" : ""}${significant}e${power}`;
}

/** Not by a pattern: one that is anchored at the end alone takes quadratic time for zeros that stand elsewhere. */
function withoutZerosAtEnd(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === "0") end--;
  return digits.slice(0, end);
}
