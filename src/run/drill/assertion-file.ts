/**
 * Reads an assertions file, YAML or JSON. Every mistake in it is told at once, with its line and where in the file it
 * stands, before a drill begins anything.
 */
import { readFile } from "node:fs/promises";
import { isCollection, isNode, LineCounter, type Node, type ParsedNode, parseDocument } from "yaml";
import type * as z from "zod";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import { scopeLabel } from "../../model/scope.js";
import { nearest } from "../../support/nearest.js";
import { assertionFileSchema, type PlacedAssertion } from "./assertion-schema.js";
import type { NamedScope } from "./names.js";

const MOST_BYTES = 16 * 1024 * 1024;

/** @throws RestoreError USAGE with every mistake */
export async function readAssertions(path: string): Promise<PlacedAssertion[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new RestoreError("USAGE", `the assertions file ${path} cannot be read: ${messageOf(cause)}`, {
      hint: "Name a YAML or JSON file with --assertions.",
    });
  });
  if (text.length > MOST_BYTES) throw mistaken(path, [`it is over ${MOST_BYTES} bytes`]);
  return parseAssertions(text, path);
}

/** `path`: for messages. @throws RestoreError USAGE with every mistake */
export function parseAssertions(text: string, path: string): PlacedAssertion[] {
  const lines = new LineCounter();
  // Every scalar stays the text that it is in the file: numbers keep their digits.
  const document = parseDocument(text, { schema: "failsafe", lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  if (document.errors.length > 0) {
    throw mistaken(
      path,
      document.errors.map(({ pos, message }) => `line ${lineAt(pos[0])}: ${message.split("\n", 1)[0] ?? ""}`),
    );
  }
  const lineOf = (where: readonly PropertyKey[]): number =>
    lineAt(nearestNode(document.contents, where)?.range?.[0] ?? 0);
  const parsed = assertionFileSchema.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (!parsed.success) {
    throw mistaken(
      path,
      parsed.error.issues.map((issue) => `line ${lineOf(strangerIn(issue))}: ${placeOf(issue)}${messageIn(issue)}`),
    );
  }
  return parsed.data.assertions.map((assertion, i) => ({
    ...assertion,
    line: lineOf(["assertions", i]),
    number: i + 1,
  }));
}

/**
 * That the drill restores what the assertions speak of.
 * @throws RestoreError USAGE with every assertion that names another scope
 */
export function assertKnownScopes(
  assertions: readonly PlacedAssertion[],
  scopes: readonly NamedScope[],
  path: string,
): void {
  const known = scopes.map(scopeLabel);
  const mistakes = assertions.flatMap((assertion) => {
    if (assertion.kind === "command") return [];
    if (assertion.kind === "record" && assertion.scope.startsWith("sqs:")) {
      return [`line ${assertion.line}: a message has no key that a queue can be asked for; use a count or a command`];
    }
    if (known.includes(assertion.scope)) return [];
    const near = nearest(assertion.scope, known);
    const instead = near.length === 0 ? "" : `; it restores ${near.join(", ")}`;
    return [`line ${assertion.line}: the drill restores no ${assertion.scope}${instead}`];
  });
  if (mistakes.length > 0) throw mistaken(path, mistakes);
}

/** A key that does not belong there stands on a line of its own. */
function strangerIn(issue: z.core.$ZodIssue): readonly PropertyKey[] {
  return issue.code === "unrecognized_keys" ? [...issue.path, ...issue.keys.slice(0, 1)] : issue.path;
}

function messageIn({ code, message }: z.core.$ZodIssue): string {
  if (code === "unrecognized_keys") return message.replace("Unrecognized key", "unknown key");
  return message
    .replace("Invalid input: expected string, received undefined", "it is missing")
    .replace(/^Invalid (?=[a-z])/, "invalid ");
}

/** The node that an issue speaks of, or what holds it when it is missing. */
function nearestNode(root: ParsedNode | null, where: readonly PropertyKey[]): Node | undefined {
  let node: unknown = root;
  let last: Node | undefined;
  for (const step of [undefined, ...where]) {
    if (step !== undefined) node = isCollection(node) ? node.get(step, true) : undefined;
    if (!isNode(node)) break;
    last = node;
  }
  return last;
}

function placeOf(issue: z.core.$ZodIssue): string {
  const place = issue.path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
  return place === "" ? "" : `${place.replace(/^\./, "")}: `;
}

function mistaken(path: string, mistakes: readonly string[]): RestoreError {
  return new RestoreError("USAGE", `${path}: ${mistakes.join(`\n${path}: `)}`, {
    hint: "Nothing was started. Mend the assertions file; docs/drills.md describes it.",
    where: { path },
  });
}
