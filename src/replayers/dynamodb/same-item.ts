/**
 * When two values, or two keys, are one to DynamoDB: servers answer numbers rewritten (`1.0` as `1`), sets in any order
 * and base64 in their own way. Compares exactly: no number becomes a floating-point number.
 */
import { canonicalNumber } from "../../support/decimal.js";
import type { JsonObject, JsonValue } from "../../support/json.js";

type Canonical = string | boolean | readonly Canonical[];

/** Equal texts exactly for key attributes that name the same item. In the schema's order, hash first. */
export function canonicalKey(attributes: readonly JsonValue[]): string {
  return JSON.stringify(attributes.map(canonical));
}

/** Equal texts exactly for attributes of one type and value. */
export function canonicalAttribute(attribute: JsonValue): string {
  return JSON.stringify(canonical(attribute));
}

/** The members of a set, each once. */
export function canonicalSet(type: "SS" | "NS" | "BS", members: readonly JsonValue[]): Set<string> {
  return new Set(members.map((member) => canonicalScalar(type[0] ?? "", member)));
}

/** Of an attribute of type `S`, `N` or `B`. */
export function canonicalScalar(type: string, content: JsonValue): string {
  if (typeof content !== "string") return "?";
  if (type === "N") return canonicalNumber(content);
  return type === "B" ? Buffer.from(content, "base64").toString("base64") : content;
}

function canonical(attribute: JsonValue): Canonical {
  if (!(attribute instanceof Map) || attribute.size !== 1) return UNKNOWN;
  const [[type, content] = ["", null]] = attribute;
  return [type, contentOf(type, content)];
}

/** Not a value of any item that was read: equal to none of them. */
const UNKNOWN: Canonical = "?";

function contentOf(type: string, content: JsonValue): Canonical {
  switch (type) {
    case "S":
    case "N":
    case "B":
      return canonicalScalar(type, content);
    case "BOOL":
    case "NULL":
      return typeof content === "boolean" ? content : UNKNOWN;
    case "SS":
    case "NS":
    case "BS":
      return Array.isArray(content) ? [...canonicalSet(type, content)].sort() : UNKNOWN;
    case "L":
      return Array.isArray(content) ? content.map(canonical) : UNKNOWN;
    case "M":
      return content instanceof Map ? members(content) : UNKNOWN;
    default:
      return UNKNOWN;
  }
}

function members(attributes: JsonObject): Canonical {
  return [...attributes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, attribute]): Canonical => [name, canonical(attribute)]);
}
