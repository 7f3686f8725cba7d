/** DynamoDB JSON in one canonical text a value: sets and maps sorted, numbers by value, binaries as they decode. */
import { canonicalDecimal } from "./decimal.js";
import { entries, items, type Json } from "./json.js";
import { type Facets, shortName } from "./state.js";

/** `attribute <name>` → value, for each of an item. */
export function itemFacets(item: Json): Facets {
  return Object.fromEntries(entries(item).map(([name, value]) => [`attribute ${name}`, canonicalValue(value)]));
}

/** The part of an item that is its key, as the record's name. */
export function itemKey(item: Json, keyNames: readonly string[]): string {
  const parts = keyNames.map((name) => {
    const found = entries(item).find(([own]) => own === name);
    if (found === undefined) throw new Error(`an item lacks its key attribute ${name}`);
    return `${name}=${canonicalValue(found[1])}`;
  });
  return shortName(parts.join(" "));
}

function canonicalValue(value: Json): string {
  const [[type, inner] = ["", value], ...others] = entries(value);
  if (type === "" || others.length > 0) throw new Error("a value has one type");
  switch (type) {
    case "S":
      return `S ${JSON.stringify(stringOf(inner))}`;
    case "N":
      return `N ${canonicalDecimal(stringOf(inner))}`;
    case "B":
      return `B ${Buffer.from(stringOf(inner), "base64").toString("hex")}`;
    case "BOOL":
      return `BOOL ${inner.kind === "boolean" ? inner.value : "?"}`;
    case "NULL":
      return "NULL";
    case "SS":
    case "NS":
    case "BS":
      return `${type} {${setOf(type.slice(0, 1), inner).join(", ")}}`;
    case "L":
      return `L [${items(inner).map(canonicalValue).join(", ")}]`;
    case "M":
      return `M {${entries(inner)
        .map(([name, field]) => `${JSON.stringify(name)}: ${canonicalValue(field)}`)
        .sort()
        .join(", ")}}`;
    default:
      throw new Error(`${type} is no type of DynamoDB`);
  }
}

function setOf(type: string, inner: Json): string[] {
  return items(inner)
    .map((element) => canonicalValue({ kind: "object", entries: [[type, element]] }))
    .sort();
}

function stringOf(value: Json): string {
  if (value.kind !== "string") throw new Error(`a string was expected, not ${value.kind}`);
  return value.value;
}
