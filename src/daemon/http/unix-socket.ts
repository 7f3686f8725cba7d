/**
 * A Unix socket that its owner alone can open, from its first moment: it is bound inside a private folder and moved to
 * its place once its rights are set.
 */
import { chmod, lstat, mkdtemp, rename, rm } from "node:fs/promises";
import { createConnection, type Server } from "node:net";
import { dirname, join } from "node:path";
import { messageOf, RestoreError, systemCode } from "../../errors/restore-error.js";

/** What the system's address of a socket holds; a longer path would be cut off without a word. */
const MOST_BYTES = 107;
const ASIDE = ".socket-";

/** @throws RestoreError CONFIG_INVALID when the path cannot be one of a socket, or somebody listens there */
export async function assertSocketFree(path: string): Promise<void> {
  const longest = Math.max(Buffer.byteLength(path), Buffer.byteLength(join(dirname(path), `${ASIDE}XXXXXX`, "s")));
  if (longest > MOST_BYTES) {
    throw refused(path, `it is ${longest - MOST_BYTES} bytes longer than the path of a socket can be`);
  }
  const there = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw refused(path, messageOf(error));
  });
  if (there === undefined) return;
  if (!there.isSocket()) throw refused(path, "something else stands there");
  if (await isAnswered(path)) throw refused(path, "another process listens there");
}

/**
 * Listens. What a dead process left at the path is replaced.
 * @returns what takes the path away again, if it is still this socket's
 * @throws as above
 */
export async function listenOnSocket(server: Server, path: string): Promise<() => Promise<void>> {
  await assertSocketFree(path);
  const folder = await mkdtemp(join(dirname(path), ASIDE)).catch((error: unknown) => {
    throw refused(path, messageOf(error));
  });
  try {
    const aside = join(folder, "s");
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ path: aside }, () => {
        server.removeListener("error", reject);
        resolve();
      });
    });
    await chmod(aside, 0o600);
    const { ino } = await lstat(aside);
    await rename(aside, path);
    return async () => {
      const there = await lstat(path).catch(() => undefined);
      if (there?.ino === ino) await rm(path, { force: true });
    };
  } catch (error) {
    server.close();
    throw refused(path, messageOf(error));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function isAnswered(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // A queue of connections that is full is somebody's as well; so is one that others may not open.
    socket.once("error", (error) => resolve(!NOBODY.has(systemCode(error) ?? "")));
  });
}

const NOBODY: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOENT"]);

function refused(path: string, why: string): RestoreError {
  return new RestoreError("CONFIG_INVALID", `cannot listen on the socket ${path}: ${why}`, {
    hint: "Name another path with `daemon.socket`, or end what listens there.",
    where: { path },
  });
}
