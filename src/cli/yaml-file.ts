/** A YAML document that knows on which line each of its values stands. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";

export interface YamlFile {
  /** Null where the document is empty. */
  readonly value: unknown;
  /** From 1, of the value at the path; of the innermost one around it, where it is missing. */
  lineOf(path: readonly PropertyKey[]): number;
}

/** @throws Error whose message names the line and quotes nothing of the text */
export function parseYamlFile(text: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [fault] = document.errors;
  // Behind its first line, the parser quotes the text that it stumbled over, which nobody should read in a log.
  if (fault !== undefined) throw new Error(fault.message.split("\n", 1)[0]?.replace(/:$/, ""));
  const value: unknown = document.toJS();
  return { value, lineOf: (path) => lines.linePos(offsetOf(document, path)).line };
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    const found = memberOf(resolved(node, document), step);
    if (found === undefined) return offset;
    offset = startOf(found.key) ?? startOf(found.value) ?? offset;
    node = found.value;
  }
  return offset;
}

function resolved(node: unknown, document: Document): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function memberOf(node: unknown, step: PropertyKey): { readonly key?: unknown; readonly value: unknown } | undefined {
  if (isMap(node)) return node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
  if (!isSeq(node)) return undefined;
  const value: unknown = node.items[Number(step)];
  return value === undefined ? undefined : { value };
}

function startOf(node: unknown): number | undefined {
  return (node as Partial<Node> | null | undefined)?.range?.[0];
}
