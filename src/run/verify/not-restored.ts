/** Records that a restore left out, with its reason told in its own report: a comparison after it passes over them. */
import { readListed } from "../journal/listed-file.js";
import { Places } from "./places.js";

/** From the list of a job. To be closed. `workDirectory` takes a file, where they are very many. */
export async function notRestored(listPath: string, workDirectory: string): Promise<Places> {
  const places = new Places(workDirectory);
  try {
    for await (const { outcome, path, line } of readListed(listPath)) {
      if (outcome !== "restored") places.add(line === undefined ? { path } : { path, line });
    }
    return places;
  } catch (error) {
    places.close();
    throw error;
  }
}
