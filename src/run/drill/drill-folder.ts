/**
 * A drill's folder: `<state>/drills/<id>` with `open.json` (what the drill started and made, noted before it does; gone
 * once all of it is removed), `work/` (the restore's job, the data of servers) and, unless another place was named, its
 * evidence. Readable by its owner alone.
 */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";
import { ADAPTERS } from "../../model/scope.js";
import { replaceFile, syncDirectory } from "../../support/durable-files.js";

const ID = /^[0-9a-f]{12}$/;

/** How a named target is reached again: options of the command line, which hold no secrets. */
export const targetNoteSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("sandbox") }),
  z.strictObject({ kind: z.literal("named"), options: z.record(z.string(), z.string()) }),
]);

export type TargetNote = z.infer<typeof targetNoteSchema>;

const serverNoteSchema = z.strictObject({
  adapter: z.enum(ADAPTERS),
  name: z.string(),
  started: z.union([
    z.strictObject({
      process: z.int().positive(),
      /** Of this process alone, also when another one gets its number. Absent: it had ended already. */
      identity: z.string().exactOptional(),
      data: z.string(),
    }),
    z.strictObject({ container: z.string() }),
  ]),
});

export type ServerNote = z.infer<typeof serverNoteSchema>;

const scopeNoteSchema = z.strictObject({
  adapter: z.enum(ADAPTERS),
  scope: z.string(),
  target: z.string(),
  endpoint: z.string(),
});

/** A scope that the drill may have made on a server that stays. */
export type ScopeNote = z.infer<typeof scopeNoteSchema>;

const openSchema = z.strictObject({
  openVersion: z.literal(1),
  id: z.string().regex(ID),
  /** Unix milliseconds. */
  startedAt: z.int().nonnegative(),
  pid: z.int().positive(),
  dump: z.string(),
  target: targetNoteSchema,
  /** Names the drill's temporary keys on the target. */
  job: z.string(),
  servers: z.array(serverNoteSchema),
  scopes: z.array(scopeNoteSchema),
});

export type OpenDrill = z.infer<typeof openSchema>;

export function drillsDirectory(stateDirectory: string): string {
  return join(stateDirectory, "drills");
}

export function drillDirectory(stateDirectory: string, id: string): string {
  return join(drillsDirectory(stateDirectory), id);
}

function workDirectory(stateDirectory: string, id: string): string {
  return join(drillDirectory(stateDirectory, id), "work");
}

/** What a drill has to remove, kept on disk before it is there. */
export class DrillFolder {
  readonly #stateDirectory: string;
  #open: OpenDrill;
  #writing: Promise<void> = Promise.resolve();

  private constructor(stateDirectory: string, open: OpenDrill) {
    this.#stateDirectory = stateDirectory;
    this.#open = open;
  }

  /** @throws RestoreError LOCAL_IO */
  static async begin(stateDirectory: string, open: OpenDrill): Promise<DrillFolder> {
    const folder = new DrillFolder(stateDirectory, open);
    await mkdir(folder.work, { recursive: true, mode: 0o700 }).catch(unwritable(folder.work));
    await folder.#write();
    await syncDirectory(drillsDirectory(stateDirectory)).catch(unwritable(folder.path));
    return folder;
  }

  /** One that a drill of an earlier process left. */
  static of(stateDirectory: string, open: OpenDrill): DrillFolder {
    return new DrillFolder(stateDirectory, open);
  }

  get path(): string {
    return drillDirectory(this.#stateDirectory, this.#open.id);
  }

  get work(): string {
    return workDirectory(this.#stateDirectory, this.#open.id);
  }

  /** State directory of the restore's job. */
  get restoreState(): string {
    return join(this.work, RESTORE_STATE);
  }

  get open(): OpenDrill {
    return this.#open;
  }

  async noteServer(server: ServerNote): Promise<void> {
    await this.#change((open) => ({ ...open, servers: [...open.servers, server] }));
  }

  async noteScopes(scopes: readonly ScopeNote[]): Promise<void> {
    await this.#change((open) => ({ ...open, scopes: [...open.scopes, ...scopes] }));
  }

  async forgetServer(server: ServerNote): Promise<void> {
    await this.#change((open) => ({ ...open, servers: open.servers.filter((other) => other !== server) }));
  }

  async forgetScope(scope: ScopeNote): Promise<void> {
    await this.#change((open) => ({ ...open, scopes: open.scopes.filter((other) => other !== scope) }));
  }

  /** Removes what is temporary; what is left elsewhere stays noted. Repeatable. @throws RestoreError LOCAL_IO */
  async close(): Promise<void> {
    const { servers, scopes } = this.#open;
    // What the restore wrote where scopes are left is told by its journal alone.
    const spares = scopes.length > 0 ? [RESTORE_STATE] : [];
    await removeBut(this.work, spares).catch(unwritable(this.work));
    if (servers.length + scopes.length > 0) return;
    await rm(openPath(this.#stateDirectory, this.#open.id), { force: true }).catch(unwritable(this.path));
  }

  async #change(change: (open: OpenDrill) => OpenDrill): Promise<void> {
    this.#open = change(this.#open);
    await this.#write();
  }

  async #write(): Promise<void> {
    const path = openPath(this.#stateDirectory, this.#open.id);
    // Servers are started side by side; the file always holds the newest state.
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(() => replaceFile(path, `${JSON.stringify(this.#open, undefined, 2)}\n`));
    await this.#writing.catch(unwritable(path));
  }
}

const RESTORE_STATE = "state";

async function removeBut(folder: string, spares: readonly string[]): Promise<void> {
  if (spares.length === 0) return await rm(folder, { recursive: true, force: true });
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!spares.includes(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function openPath(stateDirectory: string, id: string): string {
  return join(drillDirectory(stateDirectory, id), "open.json");
}

function unwritable(path: string): (cause: unknown) => never {
  return (cause) => {
    throw new RestoreError("LOCAL_IO", `cannot write ${path}: ${messageOf(cause)}`, {
      hint: "Make room or name another place with --state-dir.",
      retry: "fatal",
      cause,
    });
  };
}

/** What a drill left that ended without removing it; undefined for one that left nothing. */
export type LeftDrill = { readonly id: string } & ({ readonly open: OpenDrill } | { readonly problem: string });

/** Of all drills, also of those that run. @throws RestoreError LOCAL_IO */
export async function leftDrills(stateDirectory: string): Promise<LeftDrill[]> {
  const directory = drillsDirectory(stateDirectory);
  const names = await readdir(directory).catch((cause: unknown) => {
    if (systemCode(cause) === "ENOENT") return [];
    throw new RestoreError("LOCAL_IO", `cannot look into ${directory}: ${messageOf(cause)}`, { cause });
  });
  const left: LeftDrill[] = [];
  for (const id of names.filter((name) => ID.test(name)).sort()) {
    const text = await readFile(openPath(stateDirectory, id), "utf8").catch((cause: unknown) => {
      if (systemCode(cause) === "ENOENT") return undefined;
      throw new RestoreError("LOCAL_IO", `cannot read what drill ${id} left: ${messageOf(cause)}`, { cause });
    });
    if (text !== undefined) left.push({ id, ...parsedOpen(text) });
  }
  return left;
}

function parsedOpen(text: string): { readonly open: OpenDrill } | { readonly problem: string } {
  try {
    return { open: openSchema.parse(JSON.parse(text)) };
  } catch {
    return { problem: "its open.json is damaged or of another version" };
  }
}
