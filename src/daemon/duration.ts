/** Durations as the settings and options have them. */

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `1.5h`, `30d`: milliseconds. Schemas let nothing else through. @throws Error for what is none */
export function durationMs(text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`"${text}" is no duration: it takes 90s, 12h or 30d`);
  return Math.round(Number(number) * (UNITS[unit] ?? 0));
}
