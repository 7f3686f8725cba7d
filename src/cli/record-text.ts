/** Records of a dump as text for people. Pure. */
import { stringify } from "yaml";
import { escapeControls } from "../model/display.js";
import { formatPlace, type Place } from "../model/position.js";
import { formatBytes } from "./format.js";
import type { RecordView } from "./record-view.js";

/** One record, with everything that is shown of it. */
export function recordText(view: RecordView): string {
  return escapeControls(stringify(plain(view), { lineWidth: 0, aliasDuplicateObjects: false }));
}

const TYPE_WIDTH = 11;
const SIZE_WIDTH = 9;

/** A line of a list: type, size, key, when it expires, and where it stands. */
export function recordLine(summary: RecordView): string {
  const { type, key, bytes, expiresAt, reason, place } = summary;
  const parts = [
    String(type).padEnd(TYPE_WIDTH),
    formatBytes(Number(bytes)).padStart(SIZE_WIDTH),
    String(key),
    ...(expiresAt === undefined ? [] : [`expires ${String(expiresAt)}`]),
    ...(reason === undefined ? [] : [String(reason)]),
    `(${formatPlace(place as Place)})`,
  ];
  return `${escapeControls(parts.join("  ")).replaceAll("\n", " ")}\n`;
}

/** Without what is undefined; digits of big integers stay. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return new Map(members.map(([name, member]) => [name, plain(member)]));
}
