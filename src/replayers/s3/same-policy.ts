/** Whether two bucket policies say the same: servers write them in their own form, and leave the order of lists open. */
import { type JsonValue, parseJson } from "../../support/json.js";

/** The members of a policy and its statements that give it names. */
const NAMES = new Set(["Id", "Sid"]);

/** False where one of them is no JSON. */
export function samePolicy(policy: string, held: string | undefined): boolean {
  const [one, other] = [canonical(policy), held === undefined ? undefined : canonical(held)];
  return one !== undefined && one === other;
}

function canonical(policy: string): string | undefined {
  try {
    return written(parseJson(Buffer.from(policy)));
  } catch {
    return undefined;
  }
}

/** A list of one is its member, and `"Principal": "*"` is everybody of AWS (IAM reference, "JSON policy elements"). */
function written(value: JsonValue): string {
  if (Array.isArray(value)) {
    const members = [...new Set(value.map(written))].sort();
    return members.length === 1 ? (members[0] ?? "") : `[${members.join()}]`;
  }
  if (!(value instanceof Map)) return JSON.stringify(value);
  const members = [...value].flatMap(([name, member]) => {
    if (NAMES.has(name) && typeof member === "string") return [];
    const isEverybody = name === "Principal" && member === "*";
    return [`${JSON.stringify(name)}:${isEverybody ? '{"AWS":"*"}' : written(member)}`];
  });
  return `{${members.sort().join()}}`;
}
