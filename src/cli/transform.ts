/**
 * Loads the operator's transform: a module of its own, run in this process with all that the process may do. It is not
 * sandboxed, for it is as trusted as the command line; a dump is not, so no module is taken out of one.
 */
import { createHash } from "node:crypto";
import { readFile, realpath, stat } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, RestoreError, systemCode } from "../errors/restore-error.js";
import type { TransformFunction } from "../run/transform/plain-records.js";
import type { Transform } from "../run/transform/transform.js";
import { parseBytes } from "./quantities.js";

export interface TransformArguments {
  readonly dump: string;
  readonly transform?: string;
  readonly transformLimit?: string;
}

const OPTION = "--transform";

/** Undefined where none is asked for. Runs the module. @throws RestoreError USAGE */
export async function loadTransform(args: TransformArguments): Promise<Transform | undefined> {
  const { transform: name, transformLimit } = args;
  if (name === undefined) {
    if (transformLimit === undefined) return undefined;
    throw new RestoreError("USAGE", "--transform-limit without --transform means nothing", {
      hint: "Name the module with --transform, or leave --transform-limit out.",
    });
  }
  const limitBytes =
    transformLimit === undefined ? {} : { limitBytes: parseBytes(transformLimit, "--transform-limit") };
  const path = await moduleFile(name);
  await assertOutside(args.dump, [resolve(name), path]);
  const digest = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  return { name, digest, call: await defaultExport(name, path), ...limitBytes };
}

async function moduleFile(name: string): Promise<string> {
  try {
    if (!(await stat(name)).isFile()) throw new RestoreError("USAGE", `${OPTION}: ${name} is not a file`, MODULE_HINT);
    return await realpath(name);
  } catch (cause) {
    if (cause instanceof RestoreError) throw cause;
    const why = systemCode(cause) === "ENOENT" ? "is not there" : `cannot be read: ${messageOf(cause)}`;
    throw new RestoreError("USAGE", `${OPTION}: ${name} ${why}`, { ...MODULE_HINT, cause });
  }
}

const MODULE_HINT = { hint: "Name a JavaScript module whose default export is a function: --transform ./mask.mjs." };

/** By name and by what it links to: a link in the dump is the dump's word, a link to the dump leads to its bytes. */
async function assertOutside(dump: string, paths: readonly string[]): Promise<void> {
  const roots = [resolve(dump), await realpath(dump).catch(() => resolve(dump))];
  if (!roots.some((root) => paths.some((path) => isInside(root, path)))) return;
  throw new RestoreError("USAGE", `${OPTION}: the module is inside the dump, and a dump must not bring code along`, {
    hint: "Look at the module, and copy it to a folder of your own if you trust it.",
  });
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== ".." && !way.startsWith(`..${sep}`);
}

async function defaultExport(name: string, path: string): Promise<TransformFunction> {
  const loaded: unknown = await import(pathToFileURL(path).href).catch((cause: unknown) => {
    throw new RestoreError("USAGE", `${OPTION}: ${name} cannot be loaded: ${loadingFault(cause)}`, {
      ...MODULE_HINT,
      cause,
    });
  });
  const found = typeof loaded === "object" && loaded !== null && "default" in loaded ? loaded.default : undefined;
  if (typeof found === "function") return found as TransformFunction;
  const why = found === undefined ? "has no default export" : `exports by default a ${typeof found}, not a function`;
  throw new RestoreError("USAGE", `${OPTION}: ${name} ${why}`, MODULE_HINT);
}

function loadingFault(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : messageOf(cause);
}
