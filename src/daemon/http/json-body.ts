/** Bodies of requests: one JSON value in UTF-8, no name twice, of bounded depth. */
import { JsonNumber, JsonSyntaxError, type JsonValue, parseJson } from "../../support/json.js";
import { Fault } from "../fault.js";

const MAX_DEPTH = 16;

/** Undefined where there is no body. @throws Fault BAD_REQUEST */
export function parseBody(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return plain(parseJson(body, { maxDepth: MAX_DEPTH }));
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new Fault("BAD_REQUEST", `the body is not JSON as it is taken here: ${error.message}`);
  }
}

function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  // Makes members of its own, also of `__proto__`.
  return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]));
}
