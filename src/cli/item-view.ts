/** Items as data for people: as DynamoDB's own JSON, or plain. */
import { canonicalNumber } from "../support/decimal.js";
import { JsonNumber, type JsonObject, type JsonValue, parseJson } from "../support/json.js";

/** Beyond DynamoDB's 32 levels, each of them two of JSON. */
const MAX_DEPTH = 100;

/** Every attribute with its type, as it stands in the item's text. */
export function typedItem(text: Buffer): unknown {
  return raw(parseJson(text, { maxDepth: MAX_DEPTH }));
}

/**
 * Strings, numbers, lists and maps without their types. A number that no double holds stays text; sets become lists;
 * bytes stay base64.
 */
export function plainItem(text: Buffer): unknown {
  const item = parseJson(text, { maxDepth: MAX_DEPTH });
  return item instanceof Map ? withoutTypes(item) : raw(item);
}

function withoutTypes(map: JsonObject): unknown {
  return objectOf(map, value);
}

/** An object without a prototype: `__proto__` is an attribute like any other. */
function objectOf(map: JsonObject, of: (member: JsonValue) => unknown): unknown {
  const object = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of map) object[name] = of(member);
  return object;
}

function value(attribute: JsonValue): unknown {
  if (!(attribute instanceof Map)) return raw(attribute);
  const [[type, content] = ["", null]] = attribute;
  switch (type) {
    case "N":
      return number(content);
    case "NS":
      return Array.isArray(content) ? content.map(number) : raw(content);
    case "NULL":
      return null;
    case "L":
      return Array.isArray(content) ? content.map(value) : raw(content);
    case "M":
      return content instanceof Map ? withoutTypes(content) : raw(content);
    default:
      return raw(content);
  }
}

function number(content: JsonValue): unknown {
  if (typeof content !== "string") return raw(content);
  const double = Number(content);
  return canonicalNumber(String(double)) === canonicalNumber(content) ? double : content;
}

function raw(content: JsonValue): unknown {
  if (content instanceof JsonNumber) return content.text;
  if (Array.isArray(content)) return content.map(raw);
  return content instanceof Map ? objectOf(content, raw) : content;
}
