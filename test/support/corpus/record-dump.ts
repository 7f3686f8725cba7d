/** The one dump in which all record cases stand, and where each of their records is in it. */
import type { DumpDescription, DumpFile } from "../dump-builder.js";
import type { End, RecordCase } from "./case.js";

export interface RecordDump {
  readonly dump: DumpDescription;
  /** `path` or `path:line` of a case's record. */
  placeOf(from: RecordCase, end: End): string;
}

export function recordDump(cases: readonly RecordCase[]): RecordDump {
  const files = new Map<string, DumpFile>();
  const shared = new Map<string, unknown[]>();
  const firstLines = new Map<RecordCase, Map<string, number>>();
  for (const each of cases) {
    for (const [path, content] of Object.entries(each.files ?? {})) {
      if (files.has(path)) throw new Error(`two cases have ${path}`);
      files.set(path, content);
    }
    const first = new Map<string, number>();
    for (const [path, lines] of Object.entries(each.lines ?? {})) {
      const before = shared.get(path) ?? [];
      first.set(path, before.length + 1);
      shared.set(path, [...before, ...lines]);
    }
    firstLines.set(each, first);
  }
  return {
    dump: { files: Object.fromEntries([...files, ...shared]) },
    placeOf: (from, { path, own }) =>
      own === undefined ? path : `${path}:${(firstLines.get(from)?.get(path) ?? 0) + own}`,
  };
}
