/** A file of ours in the work directory, read and written in place. What goes wrong with it is the machine's matter. */
import { closeSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { messageOf, RestoreError } from "../errors/restore-error.js";

export class WorkFile {
  readonly #path: string;
  readonly #fd: number;
  #isOpen = true;

  /** Makes the file, which must not exist. @throws RestoreError LOCAL_IO, like all below */
  constructor(path: string) {
    this.#path = path;
    this.#fd = this.#io(() => openSync(path, "wx+", 0o600));
  }

  resize(bytes: number): void {
    this.#io(() => ftruncateSync(this.#fd, bytes));
  }

  /** Fills `into` whole. */
  read(into: Uint8Array | Uint32Array, position: number): void {
    if (this.readUpTo(into, position) < into.byteLength) throw this.#fault("it was cut short");
  }

  /** Fills `into` as far as the file goes. Returns how many bytes. */
  readUpTo(into: Uint8Array | Uint32Array, position: number): number {
    return this.#io(() => {
      for (let at = 0; ; ) {
        const length = readSync(this.#fd, into, at, into.byteLength - at, position + at);
        at += length;
        if (length === 0 || at === into.byteLength) return at;
      }
    });
  }

  write(bytes: Uint8Array | Uint32Array, position: number): void {
    this.#io(() => {
      for (let at = 0; at < bytes.byteLength; ) {
        at += writeSync(this.#fd, bytes, at, bytes.byteLength - at, position + at);
      }
    });
  }

  /** Closes and removes it. Repeatable. */
  remove(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#fd);
    rmSync(this.#path, { force: true });
  }

  #io<T>(access: () => T): T {
    // Another file may have got the same descriptor.
    if (!this.#isOpen) throw new RestoreError("INTERNAL", `${this.#path} was used after it was removed`);
    try {
      return access();
    } catch (error) {
      throw this.#fault(messageOf(error), error);
    }
  }

  #fault(what: string, cause?: unknown): RestoreError {
    return new RestoreError("LOCAL_IO", `cannot use ${this.#path}: ${what}`, {
      hint: "Point TMPDIR at a folder with room for what does not fit into memory.",
      retry: "fatal",
      cause,
    });
  }
}
