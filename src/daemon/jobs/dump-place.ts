/** Where a job's dump stands: below one of the configured roots, whatever links say. */
import { realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { messageOf, systemCode } from "../../errors/restore-error.js";
import { pickDump } from "../../run/drill/pick.js";
import { nearest } from "../../support/nearest.js";
import { Fault } from "../fault.js";
import type { PlacedDump } from "../schema/job.js";

/** What makes a folder a dump. */
const MANIFEST_FILE = "MANIFEST.json";

export type Roots = Readonly<Record<string, string>>;

/** The folder of a root. @throws Fault UNPROCESSABLE for one that is not configured */
export function rootFolder(roots: Roots, root: string): string {
  const folder = Object.hasOwn(roots, root) ? roots[root] : undefined;
  if (folder !== undefined) return folder;
  const near = nearest(root, Object.keys(roots));
  const hint = near.length === 0 ? "Add it under `daemon.roots`." : `There are: ${near.join(", ")}.`;
  throw new Fault("UNPROCESSABLE", `no root is called "${root}"`, { hint });
}

/**
 * The dump's folder, absolute and without links.
 * @throws Fault UNPROCESSABLE where none is there, or its place is outside the root
 */
export async function dumpFolder(roots: Roots, { root, path }: PlacedDump): Promise<string> {
  const base = rootFolder(roots, root);
  const refuse = (why: string, hint: string): never => {
    throw new Fault("UNPROCESSABLE", `the dump "${path}" of the root "${root}" ${why}`, { hint, where: { path } });
  };
  if (!isBelow(path)) refuse("is no folder below it", "Give its place below the root, with slashes and without `..`.");
  const real = async (folder: string) =>
    await realpath(folder).catch((cause: unknown) => {
      const why = GONE.has(systemCode(cause) ?? "") ? "is not there" : `cannot be reached: ${messageOf(cause)}`;
      return refuse(why, "`GET /v1/dumps` lists the dumps that are there.");
    });
  const realBase = await real(base);
  const found = await real(join(realBase, ...path.split("/")));
  const inside = relative(realBase, found);
  if (inside === ".." || inside.startsWith(`..${sep}`)) {
    refuse("leads out of it", "Links in it may lead to places in it, and to none elsewhere.");
  }
  const manifest = await stat(join(found, MANIFEST_FILE)).catch(() => undefined);
  if (manifest?.isFile() !== true) refuse(`is no dump: it holds no ${MANIFEST_FILE}`, "Name the folder that holds it.");
  return found;
}

const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);

/** Empty: the root itself. */
function isBelow(path: string): boolean {
  if (path === "") return true;
  const parts = path.split("/");
  return !path.includes("\0") && parts.every((part) => part !== "" && part !== "." && part !== "..");
}

/**
 * Chooses one of the dumps that stand below a root now.
 * @throws Fault UNPROCESSABLE; RestoreError DUMP_NOT_FOUND, DUMP_UNREADABLE
 */
export async function pickPlace(roots: Roots, root: string, pick: "newest" | "random"): Promise<PlacedDump> {
  const folder = rootFolder(roots, root);
  const { path } = await pickDump(folder, pick);
  return { root, path: relative(folder, path).split(sep).join("/") };
}
