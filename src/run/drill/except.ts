/** Records that are rightly not on the target as the dump has them: those that the restore itself counts as not restored. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { z } from "zod";
import { formatPlace, type Place } from "../../model/position.js";
import { SpillingSet } from "../../support/spilling-set.js";

const lineSchema = z.object({ path: z.string(), line: z.int().optional(), outcome: z.string() });

export interface Except {
  has(place: Place): boolean;
  /** Repeatable. */
  close(): void;
}

/** `file`: the restore's list of what is not plainly restored; absent: everything was. */
export async function readExcept(file: string | undefined, workDirectory: string): Promise<Except> {
  const places = new SpillingSet(workDirectory);
  if (file !== undefined) {
    for await (const text of createInterface({ input: createReadStream(file) })) {
      const { path, line, outcome } = lineSchema.parse(JSON.parse(text));
      // A near miss was restored, and is compared.
      if (outcome !== "restored") places.add(formatPlace(line === undefined ? { path } : { path, line }));
    }
  }
  return { has: (place) => places.has(formatPlace(place)), close: () => places.close() };
}
