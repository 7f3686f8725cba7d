/** What is made of a transform's answer: a record in the place of the one that it was given. */
import type { Note } from "../../model/outcome.js";
import type { Place, Position } from "../../model/position.js";
import type { WritableRecord } from "../../model/record.js";

export interface Rebuilt<R extends WritableRecord = WritableRecord> {
  readonly record: R;
  /** Shared exactly with records of the scope under whose key it stands; absent where records have no keys. */
  readonly identity?: string | Buffer;
}

/** The members that a record keeps, whatever becomes of its key and content. */
export function frameOf({ place, after, lane, notes }: WritableRecord): {
  readonly place: Place;
  readonly after: Position;
  readonly lane?: string;
  readonly notes?: readonly Note[];
} {
  return { place, after, ...(lane === undefined ? {} : { lane }), ...(notes === undefined ? {} : { notes }) };
}
