/**
 * Locks between processes of one machine: one process a job, and one a target scope. They vanish with the process that
 * holds them, however it ends. They fence no other machine.
 *
 * On Linux a lock is an abstract Unix socket, which the kernel frees; containers with networks of their own do not see
 * one another's. Elsewhere it is a file that names its holder; a file whose holder is gone counts for nothing.
 */
import { createHash } from "node:crypto";
import { createConnection, createServer, type Server } from "node:net";
import { platform, userInfo } from "node:os";
import { RestoreError, systemCode } from "../../errors/restore-error.js";
import { acquireFileLock, fileLockHolder } from "./file-lock.js";
import { type Holder, type Lock, type LockInit, parseHolder } from "./lock.js";

/** @throws RestoreError JOB_HELD when another process has it */
export async function acquireLock(init: LockInit): Promise<Lock> {
  const name = createHash("sha256").update(init.what).digest("hex").slice(0, 40);
  if (platform() !== "linux") return await acquireFileLock({ ...init, name }, (holder) => held(init.what, holder));
  // Locks of different users are apart, or one could keep another one out.
  const path = `\0elastickv-restore/${userInfo().uid}/${name}`;
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    // Whoever asks and never hangs up must not keep the lock from being freed.
    socket.end(JSON.stringify(init.holder), () => socket.destroy());
  });
  const taken = await listening(server, path);
  if (!taken) throw held(init.what, await holderAt(path));
  // A question that cannot be taken (no file descriptor is left) is no reason to end.
  server.on("error", () => undefined);
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** Who holds the lock now. Takes nothing; the answer may be old when it arrives. */
export async function lockHolder(init: Omit<LockInit, "holder">): Promise<Holder | "unnamed" | undefined> {
  const name = createHash("sha256").update(init.what).digest("hex").slice(0, 40);
  if (platform() !== "linux") return await fileLockHolder({ ...init, name });
  const path = `\0elastickv-restore/${userInfo().uid}/${name}`;
  const isHeld = await new Promise<boolean>((resolve) => {
    const socket = createConnection({ path });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
  return isHeld ? ((await holderAt(path)) ?? "unnamed") : undefined;
}

async function listening(server: Server, path: string): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    server.once("error", (error) => (systemCode(error) === "EADDRINUSE" ? resolve(false) : reject(error)));
    server.listen({ path }, () => resolve(true));
  });
}

const ANSWER_MS = 1_000;

/** What the holder says of itself; undefined when it says nothing. */
async function holderAt(path: string): Promise<Holder | undefined> {
  return await new Promise((resolve) => {
    const socket = createConnection({ path });
    let text = "";
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on("data", (chunk) => {
      text += chunk.toString();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(parseHolder(text)));
  });
}

function held(what: string, holder: Holder | undefined): RestoreError {
  const who = holder === undefined ? "another process" : `job ${holder.job} (process ${holder.pid})`;
  return new RestoreError("JOB_HELD", `${what} is being restored by ${who}`, {
    hint: "Nothing was written. Wait for it, or stop it: `elastickv-restore status` shows what runs.",
    retry: "fatal",
  });
}
