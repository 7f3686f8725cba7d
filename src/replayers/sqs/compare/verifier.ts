/** Compares queues with the dump's. Messages have no key to ask for: they are compared all at once, or only counted. */
import type { MessageRecord } from "../../../model/record.js";
import type { QueueScope } from "../../../model/scope.js";
import type { ReplayerContext } from "../../replayer.js";
import type { Comparing, FoundDifference, ScopeComparison, Verifier, WholeComparison } from "../../verifier.js";
import { isQueueMissing } from "../classify-error.js";
import type { SqsApi } from "../client.js";
import { BATCH_BYTES, BATCH_RECORDS } from "../message-size.js";
import { compareMessages, countOf } from "./messages.js";
import { compareSettings, mendBeforeSending, mendSettings } from "./settings.js";

export interface SqsVerifierInit {
  readonly api: SqsApi;
  readonly context: ReplayerContext;
  /** The AWS service itself. */
  readonly aws: boolean;
  /** What a queue of the source is called on the target. */
  readonly targetNameOf: (sourceQueue: string) => string;
}

const ABSENT: ScopeComparison = { exists: false, differences: [], unproven: [] };
const GONE = "the queue is not there";

export class SqsVerifier implements Verifier<"sqs"> {
  readonly batch = { records: BATCH_RECORDS, bytes: BATCH_BYTES };
  readonly #init: SqsVerifierInit;

  constructor(init: SqsVerifierInit) {
    this.#init = init;
  }

  async settings(scope: QueueScope): Promise<ScopeComparison> {
    const { api, targetNameOf } = this.#init;
    return await this.#atQueue(scope, ABSENT, (url) => compareSettings({ api, scope, targetNameOf }, url));
  }

  async compareAll(
    scope: QueueScope,
    records: () => AsyncIterable<MessageRecord>,
    how: Comparing,
    found: (difference: FoundDifference<"sqs">) => void | Promise<void>,
  ): Promise<WholeComparison> {
    const { api, aws, context } = this.#init;
    const { clock, signal, workDirectory } = context;
    const stopping = signal === undefined ? {} : { signal };
    const looking = { api, clock, aws, ...stopping };
    const compared = await this.#atQueue(scope, undefined, (url) =>
      compareMessages({ scope, url, records, how, found, looking, context: { clock, workDirectory, ...stopping } }),
    );
    if (compared !== undefined) return compared;
    return { equal: 0, unproven: await countOf(records()), notes: [GONE] };
  }

  async mend(scope: QueueScope): Promise<readonly string[]> {
    const { api, targetNameOf } = this.#init;
    return await this.#atQueue(scope, [GONE], (url) => mendSettings({ api, scope, targetNameOf }, url));
  }

  async mendFirst(scope: QueueScope): Promise<void> {
    const { api, targetNameOf } = this.#init;
    await this.#atQueue(scope, undefined, (url) => mendBeforeSending({ api, scope, targetNameOf }, url));
  }

  async #atQueue<T>(scope: QueueScope, absent: T, use: (url: string) => Promise<T>): Promise<T> {
    const url = await this.#init.api.queueUrl(scope.target);
    if (url === undefined) return absent;
    try {
      return await use(url);
    } catch (error) {
      if (isQueueMissing(error)) return absent;
      throw error;
    }
  }
}
