/**
 * Groups of a FIFO queue whose later messages may not be sent any more, because one of them failed. Kept across processes
 * of a job, and noted before the failure itself is settled, so that no later message can overtake it after a resume.
 *
 * The failed message itself may be tried once more by a process that finds it unsettled; when it arrives then, its group
 * goes on. Where more groups fail than there is room for notes, it is the queue that takes nothing: after a resume all
 * of its groups count as halted.
 */
import type { MessageRecord } from "../../model/record.js";
import { FINGERPRINT_WORDS, FingerprintMap, fingerprint } from "../../support/fingerprints.js";
import type { QueueNotes } from "./queue-notes.js";

const MOST_NOTES = 10_000;

export class HaltedGroups {
  readonly #notes: QueueNotes;
  readonly #mostNotes: number;
  /** To the line of the message that halted the group; 0: it goes on again. */
  readonly #lines = new FingerprintMap();
  readonly #isRestHalted: boolean;
  #noted: number;

  constructor(notes: QueueNotes, mostNotes = MOST_NOTES) {
    this.#notes = notes;
    this.#mostNotes = mostNotes;
    this.#isRestHalted = notes.isRestHalted;
    const halted = notes.halted;
    for (const [name, line] of halted) this.#lines.setPrint(printOf(name), line);
    this.#noted = halted.size;
  }

  /** Whether this message of the group would overtake one that failed. */
  has(group: string, { place, announcedAt }: MessageRecord): boolean {
    const failed = this.#lines.get(group) ?? 0;
    // An announced message was the group's next one: nothing before it is missing.
    return failed > 0 ? place.line !== failed : this.#isRestHalted && announcedAt === undefined;
  }

  /** Resolves once it is durable. */
  async halt(group: string, line: number): Promise<void> {
    if (this.#lines.set(group, line) === line) return;
    this.#noted++;
    if (this.#noted <= this.#mostNotes) await this.#notes.noteHalted(nameOf(group), line);
    else await this.#notes.noteRestHalted();
  }

  /** Takes the halt back that this message caused. Resolves once that is durable. */
  async release(group: string, line: number): Promise<void> {
    if (this.#lines.get(group) !== line) return;
    this.#lines.set(group, 0);
    await this.#notes.noteHalted(nameOf(group), undefined);
  }
}

function nameOf(group: string): string {
  const print = fingerprint(group);
  return Buffer.from(print.buffer, print.byteOffset, print.byteLength).toString("hex");
}

function printOf(name: string): Uint32Array {
  const bytes = Uint8Array.from(Buffer.from(name, "hex"));
  return new Uint32Array(bytes.buffer, 0, FINGERPRINT_WORDS);
}
