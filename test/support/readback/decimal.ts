/** Decimals by value: `1e2`, `100` and `100.0` are one number, whatever their count of digits. */

/** `<sign><digits>e<exponent>` without needless zeros. */
export function canonicalDecimal(text: string): string {
  const parts = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/u.exec(text);
  if (parts === null) throw new Error(`${text} is no decimal`);
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = parts;
  const digits = (whole + fraction).replace(/^0+/u, "");
  if (digits === "") return "0";
  const significant = digits.replace(/0+$/u, "");
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length);
  return `${sign === "-" ? "-" : ""}${significant}e${power}`;
}
