/**
 * Where a record stands in a dump, and from where reading goes on after it.
 * Positions of one scope are totally ordered by the order in which its reader yields records.
 */

/** A record's place, for people: path relative to the dump's root, and the line where several records share a file. */
export interface Place {
  readonly path: string;
  /** 1-based. */
  readonly line?: number;
}

/**
 * The point just after a record. A reader that is given a position yields the records behind it and no others.
 * `offset` is the byte behind the record's line; absent when the whole file is one record.
 */
export interface Position {
  readonly path: string;
  readonly offset?: number;
  readonly line?: number;
}

export function formatPlace(place: Place): string {
  return place.line === undefined ? place.path : `${place.path}:${place.line}`;
}
