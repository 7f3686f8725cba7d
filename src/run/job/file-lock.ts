/**
 * A lock as a file whose name tells its holder: for systems without abstract sockets. Whoever wants the lock makes a file
 * of its own, and has it when no other holder's file is there; two who come at once may both have to try again, and never
 * both get it.
 *
 * A holder is gone when no process has its id, or when the machine has been up for a shorter time than it had then. Where
 * another process was given the id of one that is gone, the lock counts as held until the next start.
 */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { uptime } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";
import { type Holder, type Lock, type LockInit, parseHolder } from "./lock.js";

const ATTEMPTS = 4;
const LONGEST_WAIT_MS = 50;

/** @throws what `held` makes; RestoreError LOCAL_IO */
export async function acquireFileLock(
  init: LockInit & { readonly name: string },
  held: (holder: Holder | undefined) => RestoreError,
): Promise<Lock> {
  const mine = `${init.name}.${init.holder.pid}.${Math.floor(uptime())}.lock`;
  const path = join(init.directory, mine);
  for (let attempt = 1; ; attempt++) {
    const other = await otherHolder(init, mine, path);
    if (other === undefined) return { release: () => rm(path, { force: true }) };
    if (attempt === ATTEMPTS) throw held(other.holder);
    await delay(Math.ceil(Math.random() * LONGEST_WAIT_MS));
  }
}

/** Who holds the lock now; undefined when nobody does. */
export async function fileLockHolder(
  init: Omit<LockInit, "holder"> & { readonly name: string },
): Promise<Holder | "unnamed" | undefined> {
  const file = await liveOther(init, "").catch(() => undefined);
  if (file === undefined) return undefined;
  return parseHolder(await readFile(join(init.directory, file), "utf8").catch(() => "")) ?? "unnamed";
}

/** Makes the file, and takes it away again when there is another holder. */
async function otherHolder(
  init: LockInit & { readonly name: string },
  mine: string,
  path: string,
): Promise<{ readonly holder: Holder | undefined } | undefined> {
  try {
    await writeFile(path, JSON.stringify(init.holder), { flag: "wx", mode: 0o600 });
    const other = await liveOther(init, mine);
    if (other === undefined) return undefined;
    const holder = parseHolder(await readFile(join(init.directory, other), "utf8").catch(() => ""));
    await rm(path, { force: true });
    return { holder };
  } catch (cause) {
    // This process has it already.
    if (systemCode(cause) === "EEXIST") return { holder: init.holder };
    throw new RestoreError("LOCAL_IO", `cannot make the lock ${path}: ${messageOf(cause)}`, {
      hint: "Name another place with --state-dir.",
      cause,
    });
  }
}

/** Files of holders that are gone are removed on the way: their names never come again. */
async function liveOther(
  { directory, name, isAlive }: Pick<LockInit, "directory" | "isAlive"> & { readonly name: string },
  mine: string,
) {
  for (const file of await readdir(directory)) {
    const [, pid, since] = new RegExp(`^${name}\\.(\\d+)\\.(\\d+)\\.lock$`).exec(file) ?? [];
    if (pid === undefined || since === undefined || file === mine) continue;
    if (isAlive(Number(pid)) && uptime() >= Number(since)) return file;
    await rm(join(directory, file), { force: true });
  }
  return undefined;
}
