/** JSON in which bigints and numbers of any notation keep their digits, and names keep their order and may be `__proto__`. */

/** A number as it has to stand in the text. */
export class Digits {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Members in this order. */
export type Members = readonly (readonly [name: string, value: JsonSource | undefined])[];

export type JsonSource =
  | null
  | boolean
  | number
  | bigint
  | string
  | Digits
  | readonly JsonSource[]
  | Map<string, JsonSource>
  | { readonly [name: string]: JsonSource | undefined };

/** Members that are undefined are left out. */
export function jsonText(value: JsonSource): string {
  if (value instanceof Digits) return value.text;
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (value instanceof Map) return membersText([...(value as Map<string, JsonSource>)]);
  if (typeof value === "object" && value !== null) return membersText(Object.entries(value));
  return JSON.stringify(value);
}

function membersText(members: Members): string {
  const present = members.flatMap(([name, value]) =>
    value === undefined ? [] : [`${JSON.stringify(name)}:${jsonText(value)}`],
  );
  return `{${present.join(",")}}`;
}

/** Binary-safe text, as the format writes names and values. */
export function binarySafe(bytes: Buffer): JsonSource {
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : { base64: bytes.toString("base64url") };
}

export function isText(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString("utf8"), "utf8").equals(bytes);
}
