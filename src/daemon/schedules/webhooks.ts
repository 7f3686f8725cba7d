/**
 * Sends messages to the webhooks of the settings until each was taken: again and again for a day, further and further
 * apart. A message may arrive more than once, under the same id, and messages may overtake one another.
 *
 * An answer of 2xx takes a message; one of 4xx refuses it for good, but for 408, 425 and 429. Everything else, a redirect
 * and a certificate that is not trusted included, may be mended meanwhile.
 */
import { messageOf, systemCode } from "../../errors/restore-error.js";
import { Alarm } from "../../support/alarm.js";
import type { Clock } from "../../support/clock.js";
import { tlsFault } from "../../support/tls-fault.js";
import type { Log } from "../log.js";
import type { Message, Outbox } from "./outbox.js";
import { type Answer, post } from "./post.js";
import { ID_HEADER, SIGNATURE_HEADER, signatureOf } from "./signature.js";

const MOST_AT_ONCE = 4;
const TIMEOUT_MS = 15_000;
const FIRST_DELAY_MS = 5_000;
const LONGEST_DELAY_MS = 15 * 60_000;
const LONGEST_ASKED_MS = 3_600_000;
const GIVE_UP_AFTER_MS = 24 * 3_600_000;

export interface Webhook {
  readonly url: string;
  readonly secret: string;
}

export interface WebhooksInit {
  /** By name. */
  readonly webhooks: Readonly<Record<string, Webhook>>;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly log: Pick<Log, "info" | "warn" | "error">;
  /** From 0 to below 1. */
  readonly random: () => number;
}

export class Webhooks {
  readonly #init: WebhooksInit;
  readonly #alarm: Alarm;
  /** By webhook: of each, one message is under way at a time. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(init: WebhooksInit) {
    this.#init = init;
    this.#alarm = new Alarm(init.clock);
  }

  /**
   * Resolves once it is kept on disk; it is sent while `run` runs. What is there under this id stays as it is.
   * @throws RestoreError LOCAL_IO
   */
  async send(message: Pick<Message, "id" | "webhook" | "body">): Promise<void> {
    const { outbox, clock } = this.#init;
    if (outbox.has(message.id)) return;
    await outbox.put({ ...message, createdAt: clock.now(), attempts: 0, nextAt: clock.now() });
    this.#alarm.ring();
  }

  /** Sends what there is and what comes, until aborted; then requests that are under way end, and count as not sent. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const message of this.#due()) this.#begin(message, signal);
      await this.#alarm.wait(this.#nextAt(), signal);
    }
    await Promise.all(this.#underWay.values());
  }

  /** At most one for each webhook, the oldest. */
  #due(): Message[] {
    const now = this.#init.clock.now();
    const due = new Map<string, Message>();
    for (const message of this.#idle()) {
      // One that waits longer than anybody would have let it was put off before the clock was set back.
      const isDue = message.nextAt <= now || message.nextAt > now + LONGEST_ASKED_MS;
      if (isDue && !due.has(message.webhook)) due.set(message.webhook, message);
    }
    return [...due.values()].slice(0, Math.max(0, MOST_AT_ONCE - this.#underWay.size));
  }

  #nextAt(): number | undefined {
    if (this.#underWay.size >= MOST_AT_ONCE) return undefined;
    return this.#idle().reduce<number | undefined>((first, { nextAt }) => Math.min(first ?? nextAt, nextAt), undefined);
  }

  #idle(): Message[] {
    return this.#init.outbox.list().filter(({ webhook }) => !this.#underWay.has(webhook));
  }

  #begin(message: Message, signal: AbortSignal): void {
    const { webhook } = message;
    const sending = this.#attempt(message, signal)
      .catch((error: unknown) => this.#init.log.error({ webhook, why: messageOf(error) }, "a webhook was not sent"))
      .finally(() => {
        this.#underWay.delete(webhook);
        this.#alarm.ring();
      });
    this.#underWay.set(webhook, sending);
  }

  async #attempt(message: Message, signal: AbortSignal): Promise<void> {
    const { outbox, log, clock } = this.#init;
    const { id, webhook } = message;
    const known = Object.hasOwn(this.#init.webhooks, webhook) ? this.#init.webhooks[webhook] : undefined;
    if (known === undefined) {
      await outbox.remove(id);
      return log.warn({ webhook, id }, "a message is not sent: the settings have no such webhook any more");
    }
    const answer = await this.#request(known, message, signal).catch((error: unknown) => ({ why: whyOf(error) }));
    if ("status" in answer && answer.status >= 200 && answer.status < 300) {
      await outbox.remove(id);
      return log.info({ webhook, id, status: answer.status }, "a webhook was told");
    }
    if (signal.aborted) return;
    const why = "status" in answer ? `it answered ${answer.status}` : answer.why;
    const failed = { ...message, attempts: message.attempts + 1 };
    const nextAt = clock.now() + this.#delayMs(failed.attempts, "status" in answer ? answer : undefined);
    const isOver = ("status" in answer && isFinal(answer.status)) || nextAt > message.createdAt + GIVE_UP_AFTER_MS;
    if (isOver) await outbox.remove(id);
    if (isOver || !(await outbox.putOff({ ...failed, nextAt }))) {
      return log.error({ webhook, id, attempts: failed.attempts, why }, "a webhook was not told, and will not be");
    }
    return log.warn({ webhook, id, attempts: failed.attempts, why }, "a webhook was not told yet; it is tried again");
  }

  async #request({ url, secret }: Webhook, { id, body }: Message, signal: AbortSignal): Promise<Answer> {
    const { clock } = this.#init;
    const ending = new AbortController();
    const end = () => ending.abort();
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    const timer = clock.sleep(TIMEOUT_MS, ending.signal).then(end, () => undefined);
    try {
      const headers = {
        "Content-Type": "application/json",
        "User-Agent": "elastickv-restore",
        [ID_HEADER]: id,
        [SIGNATURE_HEADER]: signatureOf(body, secret, clock.now()),
      };
      return await post(url, { headers, body, signal: ending.signal });
    } finally {
      signal.removeEventListener("abort", end);
      ending.abort();
      await timer;
    }
  }

  /** Twice as long each time, and never quite the same for several; or as long as the receiver asks for. */
  #delayMs(attempts: number, answer: Answer | undefined): number {
    const asked = /^\d{1,9}$/.exec(answer?.retryAfter ?? "")?.[0];
    if (asked !== undefined) return Math.min(LONGEST_ASKED_MS, Number(asked) * 1000);
    const most = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempts - 1, 20));
    return Math.ceil(most * (0.5 + 0.5 * this.#init.random()));
  }
}

const MAY_BE_TAKEN_LATER: ReadonlySet<number> = new Set([408, 425, 429]);

function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && !MAY_BE_TAKEN_LATER.has(status);
}

/** Names no address: in its path and query, one may carry what lets anybody in. */
function whyOf(error: unknown): string {
  const code = systemCode(error) ?? "";
  if (code === "ABORT_ERR") return "it gave no answer in time";
  const tls = tlsFault(code, { plain: "http://", authorities: "NODE_EXTRA_CA_CERTS" });
  // Where several addresses were tried, the message is empty.
  const message = messageOf(error) || code;
  return tls === undefined ? message : `${tls.why}: ${message}. ${tls.hint}`;
}
