/** How the records of a scope stand on the target: each record of the dump in exactly one of these ways. */

export const STANDINGS = [
  /** The target holds it. */
  "equal",
  "missing",
  /** The target holds something else under its key. */
  "differing",
  /** Its time is past, and it is not there. */
  "expired",
  /** The target does not tell. */
  "unproven",
  /** The dump's record cannot be read. */
  "malformed",
  /** Not in the sample, or known not to have been restored. */
  "not-compared",
] as const;

export type Standing = (typeof STANDINGS)[number];

export type Standings = Record<Standing, number>;

export function noStandings(): Standings {
  return Object.fromEntries(STANDINGS.map((standing) => [standing, 0])) as Standings;
}

export function sumOf(standings: Readonly<Standings>): number {
  return STANDINGS.reduce((sum, standing) => sum + standings[standing], 0);
}

/** Records that are not as the dump has them. */
export function unlike({ missing, differing }: Readonly<Standings>): number {
  return missing + differing;
}
