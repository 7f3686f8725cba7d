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
import { hasSocket } from "./socket-owner.js";

/** @throws RestoreError JOB_HELD when another process has it */
export async function acquireLock(init: LockInit): Promise<Lock> {
  const name = nameOf(init.thing ?? init.what);
  if (platform() !== "linux") return await acquireFileLock({ ...init, name }, (holder) => held(init.what, holder));
  const path = socketOf(name);
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
  const name = nameOf(init.what);
  return platform() === "linux" ? await holderAt(socketOf(name)) : await fileLockHolder({ ...init, name });
}

/** Whether it is sure that the process with this id, and no other, has the lock. Never where locks are files. */
export async function isHolder(what: string, pid: number): Promise<boolean> {
  return platform() === "linux" && (await hasSocket(pid, socketOf(nameOf(what))));
}

function nameOf(what: string): string {
  return createHash("sha256").update(what).digest("hex").slice(0, 40);
}

/** Locks of different users are apart, or one could keep another one out. */
function socketOf(name: string): string {
  return `\0elastickv-restore/${userInfo().uid}/${name}`;
}

async function listening(server: Server, path: string): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    server.once("error", (error) => (systemCode(error) === "EADDRINUSE" ? resolve(false) : reject(error)));
    server.listen({ path }, () => resolve(true));
  });
}

const ANSWER_MS = 1_000;

/** What the holder says of itself; undefined where there is none. */
async function holderAt(path: string): Promise<Holder | "unnamed" | undefined> {
  return await new Promise((resolve) => {
    const socket = createConnection({ path });
    let isThere = false;
    let text = "";
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on("connect", () => {
      isThere = true;
    });
    socket.on("data", (chunk) => {
      text += chunk.toString();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(isThere ? (parseHolder(text) ?? "unnamed") : undefined));
  });
}

function held(what: string, holder: Holder | "unnamed" | undefined): RestoreError {
  const isNamed = holder !== undefined && holder !== "unnamed";
  const who = isNamed ? `job ${holder.job} (process ${holder.pid})` : "another process";
  return new RestoreError("JOB_HELD", `${what} is being restored by ${who}`, {
    hint: "Nothing was written. Wait for it, or stop it: `elastickv-restore status` shows what runs.",
    retry: "fatal",
  });
}
