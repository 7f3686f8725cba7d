/** What a job has to find again about a queue when another process takes it up: the replayer's notes, by their names. */
import type { QueueScope } from "../../model/scope.js";
import type { Notebook } from "../replayer.js";

/** How a job took a queue over. */
export type Takeover = "create" | "empty" | "keep";

const TAKEOVER = "takeover";
const PURGED_AT = "purged-at";
const SUSPECT_SINCE = "suspect-since";
const HALTED = "halted.";
const HALTED_REST = "halted-rest";
const SENT = "sent.";

const TAKEOVERS: readonly Takeover[] = ["create", "empty", "keep"];

/** Every note resolves once it is durable. */
export class QueueNotes {
  readonly #notebook: Notebook;
  readonly #scope: QueueScope;

  constructor(notebook: Notebook, scope: QueueScope) {
    this.#notebook = notebook;
    this.#scope = scope;
  }

  /** How the job took the queue over; undefined: it did not. */
  get takeover(): Takeover | undefined {
    const noted = this.#find(TAKEOVER);
    return TAKEOVERS.find((takeover) => takeover === noted);
  }

  /** Unix milliseconds by which the job's last purge had been taken. */
  get purgedAt(): number | undefined {
    return this.#number(PURGED_AT);
  }

  /** Unix milliseconds since when only the job sends; undefined: the queue can remember no id of an earlier run. */
  get suspectSince(): number | undefined {
    return this.#number(SUSPECT_SINCE);
  }

  /** Groups by fingerprint (hexadecimal), with the line of the message that halted each. */
  get halted(): ReadonlyMap<string, number> {
    const found = this.#notebook.find(this.#scope, HALTED);
    return new Map([...found].map(([name, line]) => [name.slice(HALTED.length), Number(line)]));
  }

  /** Whether more groups were halted than there are notes of. */
  get isRestHalted(): boolean {
    return this.#find(HALTED_REST) !== undefined;
  }

  /** What the job's processes noted of their sends, those of the earliest one first. */
  get sent(): readonly { readonly process: number; readonly text: string }[] {
    return [...this.#notebook.find(this.#scope, SENT)]
      .map(([name, text]) => ({ process: Number(name.split(".")[1]), text }))
      .sort((a, b) => a.process - b.process);
  }

  async noteTakeover(takeover: Takeover, suspectSince: number | undefined): Promise<void> {
    await Promise.all([this.#note(TAKEOVER, takeover), this.#note(SUSPECT_SINCE, suspectSince)]);
  }

  async notePurge(at: number): Promise<void> {
    await this.#note(PURGED_AT, at);
  }

  async noteNoLongerSuspect(): Promise<void> {
    await this.#note(SUSPECT_SINCE, undefined);
  }

  /** `line`: undefined takes the note away. */
  async noteHalted(fingerprint: string, line: number | undefined): Promise<void> {
    await this.#note(`${HALTED}${fingerprint}`, line);
  }

  async noteRestHalted(): Promise<void> {
    await this.#note(HALTED_REST, "yes");
  }

  async noteSent(process: number, slot: number, text: string): Promise<void> {
    await this.#note(`${SENT}${process}.${slot}`, text);
  }

  #find(name: string): string | undefined {
    return this.#notebook.find(this.#scope, name).get(name);
  }

  #number(name: string): number | undefined {
    const noted = this.#find(name);
    return noted === undefined ? undefined : Number(noted);
  }

  async #note(name: string, value: string | number | undefined): Promise<void> {
    await this.#notebook.note(this.#scope, name, value === undefined ? undefined : String(value));
  }
}
