/**
 * Who has an abstract Unix socket, by the kernel's own word: what a process says of itself may be wrong, come from another
 * PID namespace, or be a number that another process was given since. Linux alone; elsewhere nothing is sure.
 */
import { readdir, readFile, readlink } from "node:fs/promises";

/** `path`: as `listen` takes it, with its leading NUL. Where anything cannot be read, false. */
export async function hasSocket(pid: number, path: string): Promise<boolean> {
  const inodes = await inodesOf(path.slice(1));
  if (inodes.size === 0) return false;
  const folder = `/proc/${pid}/fd`;
  for (const fd of await readdir(folder).catch(() => [])) {
    // One that is closed meanwhile is none.
    const target = await readlink(`${folder}/${fd}`).catch(() => "");
    const [, inode] = /^socket:\[(\d+)\]$/.exec(target) ?? [];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

/**
 * Of the sockets that are bound to the name in this network namespace. Lines of /proc/net/unix are `Num RefCount Protocol
 * Flags Type St Inode Path`, with `@` for each NUL of the path (proc_pid_net(5)); some libuv pad it with NULs.
 */
async function inodesOf(name: string): Promise<ReadonlySet<string>> {
  const text = await readFile("/proc/net/unix", "utf8").catch(() => "");
  const found = text.split("\n").flatMap((line) => {
    const [, , , , , , inode, path] = line.trim().split(/ +/);
    return inode !== undefined && path?.replace(/@+$/, "") === `@${name}` ? [inode] : [];
  });
  return new Set(found);
}
