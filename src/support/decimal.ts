/** Decimal numbers as text, of any length: compared without ever becoming a floating-point number. */

/**
 * `1`, `1.0` and `1e0` are one number: digits without zeros at either end, and their exponent. Text that is no number
 * stands for itself.
 */
export function canonicalNumber(text: string): string {
  const match = /^\s*([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?\s*$/.exec(text);
  if (match === null) return text;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign === "-" ? "-" : ""}${significant}e${power}`;
}
