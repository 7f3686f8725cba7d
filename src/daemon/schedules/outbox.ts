/**
 * What is still to be sent to webhooks, a file each, so that a restart sends what was not delivered. Of each webhook a
 * number of messages is kept: where more come, the oldest goes.
 */
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import { replaceFile } from "../../support/durable-files.js";

const MOST_MESSAGES = 200;
const unixMs = z.int().nonnegative();

const messageSchema = z.strictObject({
  outboxVersion: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  /** The name of a webhook of the settings. */
  webhook: z.string(),
  /** What is sent, to the byte. */
  body: z.string(),
  createdAt: unixMs,
  /** That failed. */
  attempts: z.int().nonnegative(),
  nextAt: unixMs,
});

export type Message = Omit<z.infer<typeof messageSchema>, "outboxVersion">;

export interface OutboxInit {
  readonly directory: string;
  readonly warn: (text: string) => void;
  /** For each webhook. */
  readonly most?: number;
}

export class Outbox {
  readonly #init: OutboxInit;
  readonly #most: number;
  /** The oldest first. */
  readonly #messages = new Map<string, Message>();

  private constructor(init: OutboxInit, messages: readonly Message[]) {
    this.#init = init;
    this.#most = init.most ?? MOST_MESSAGES;
    for (const message of messages) this.#messages.set(message.id, message);
  }

  /** Makes the folder where it is missing. @throws RestoreError LOCAL_IO */
  static async open(init: OutboxInit): Promise<Outbox> {
    try {
      await mkdir(init.directory, { recursive: true, mode: 0o700 });
      const messages = await readMessages(init);
      return new Outbox(
        init,
        messages.sort((a, b) => a.createdAt - b.createdAt),
      );
    } catch (cause) {
      throw fault(init.directory, cause);
    }
  }

  /** The oldest first. */
  list(): readonly Message[] {
    return [...this.#messages.values()];
  }

  has(id: string): boolean {
    return this.#messages.has(id);
  }

  /** Adds a message. Resolves once it is on disk. @throws RestoreError LOCAL_IO */
  async put(message: Message): Promise<void> {
    await this.#write(message);
    this.#messages.set(message.id, message);
    const others = this.list().filter(({ webhook }) => webhook === message.webhook);
    for (const { id } of others.slice(0, Math.max(0, others.length - this.#most))) {
      this.#init.warn(`the webhook ${message.webhook} has over ${this.#most} messages waiting: the oldest is not sent`);
      await this.remove(id);
    }
  }

  /**
   * Replaces a message. Resolves with whether it is there: one that went meanwhile, as newer ones came, stays away. What
   * cannot be written holds until a restart, which tries again sooner than was meant.
   */
  async putOff(message: Message): Promise<boolean> {
    const { id } = message;
    if (!this.has(id)) return false;
    this.#messages.set(id, message);
    await this.#write(message).catch((error: unknown) => this.#init.warn(messageOf(error)));
    if (this.has(id)) return true;
    // It went while it was written.
    await this.remove(id);
    return false;
  }

  /** Repeatable. A file that cannot be removed is sent once more after a restart, under the same id. */
  async remove(id: string): Promise<void> {
    this.#messages.delete(id);
    await rm(this.#pathOf(id), { force: true }).catch((error: unknown) => {
      this.#init.warn(`cannot remove ${this.#pathOf(id)}: ${messageOf(error)}`);
    });
  }

  async #write(message: Message): Promise<void> {
    const path = this.#pathOf(message.id);
    await replaceFile(path, `${JSON.stringify({ outboxVersion: 1, ...message })}\n`).catch((cause: unknown) => {
      throw fault(path, cause);
    });
  }

  #pathOf(id: string): string {
    return join(this.#init.directory, `${id}.json`);
  }
}

async function readMessages({ directory, warn }: OutboxInit): Promise<Message[]> {
  const messages: Message[] = [];
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    // What a crash left of a file that was being written.
    if (name.endsWith(".json.tmp")) await rm(path, { force: true });
    if (!name.endsWith(".json")) continue;
    const message = parsed(await readFile(path, "utf8"));
    if (message !== undefined) messages.push(message);
    else {
      await rename(path, `${path}.damaged`);
      warn(`${path} cannot be read: it is not sent, and kept as ${name}.damaged`);
    }
  }
  return messages;
}

function parsed(text: string): Message | undefined {
  try {
    const { outboxVersion: _version, ...message } = messageSchema.parse(JSON.parse(text));
    return message;
  } catch {
    return undefined;
  }
}

function fault(path: string, cause: unknown): RestoreError {
  return new RestoreError("LOCAL_IO", `cannot keep what webhooks are sent in ${path}: ${messageOf(cause)}`, {
    hint: "Make room, or name another place with --state-dir.",
    cause,
  });
}
