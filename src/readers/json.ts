/** The strict JSON parser, under the name that readers know it by. */
export {
  JsonNumber,
  type JsonObject,
  JsonSyntaxError,
  type JsonValue,
  memberRanges,
  parseJson,
} from "../support/json.js";
