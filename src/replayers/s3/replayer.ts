/**
 * S3: buckets and objects. An object arrives with its bytes, its metadata and, where its parts can be inferred, its
 * ETag, or not at all. Owners, times and versions of objects are not its business: no endpoint can set them.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Outcome } from "../../model/outcome.js";
import type { ObjectRecord } from "../../model/record.js";
import type { BucketScope } from "../../model/scope.js";
import { type AwsOptions, isAws } from "../aws-client.js";
import type { CallStats } from "../calls.js";
import {
  type Capabilities,
  NO_NOTES,
  type Replayer,
  type ReplayerContext,
  type ScopeNotes,
  type ScopeState,
} from "../replayer.js";
import { S3Api } from "./api.js";
import { createBucket, inspectBucket } from "./bucket.js";
import { emptyBucket } from "./emptying.js";
import { Multipart } from "./multipart.js";
import { checkBucketName } from "./names.js";
import { probeServer, type Traits } from "./probe.js";
import { applySettings, compareSettings, type SettingsInit } from "./settings.js";
import { Slots } from "./slots.js";
import { ObjectWriter, outcomeOfError } from "./write-object.js";

export interface S3Target extends AwsOptions {
  /** Objects with a plain MD5 for an ETag go in parts above this. Default 256 MiB. */
  readonly multipartThresholdBytes?: number;
  /** One PUT up to 5 GiB, so that plain MD5 ETags stay. Default false. */
  readonly keepEtag?: boolean;
  /** Sets `public-read` where the dump has it; else such a bucket becomes private, with a warning. Default false. */
  readonly allowPublic?: boolean;
  /** Sets bucket policies. Default false. */
  readonly applyPolicies?: boolean;
}

const MULTIPART_THRESHOLD_BYTES = 256 * 1024 * 1024;
const CONCURRENCY = 4;
/** With four batches in flight, 64 small objects are under way at once. */
const BATCH = { records: 16, bytes: 64 * 1024 * 1024 };
/** Bodies on their way at once, each of about three blocks of 1 MiB. */
const BODIES_AT_ONCE = 16;
const SOCKETS = 64;

/** Connects nothing yet. `close` frees what it holds. */
export function createS3Replayer(target: S3Target, context: ReplayerContext): Replayer<"s3"> {
  return new S3Replayer(target, context);
}

class S3Replayer implements Replayer<"s3"> {
  readonly adapter = "s3";
  readonly endpoint: string;
  readonly #target: S3Target;
  readonly #context: ReplayerContext;
  readonly #api: S3Api;
  readonly #slots = new Slots(BODIES_AT_ONCE);
  readonly #multipart: Multipart;
  #traits: Promise<Traits> | undefined;
  #writer: ObjectWriter | undefined;
  #anyWritten = false;

  constructor(target: S3Target, context: ReplayerContext) {
    this.#target = target;
    this.#context = context;
    const options = { ...target, maxSockets: target.maxSockets ?? SOCKETS };
    this.#api = new S3Api(options, context, () => this.#slots.slowDown());
    this.#multipart = new Multipart(this.#api, this.#slots);
    this.endpoint = this.#api.endpoint;
  }

  get stats(): CallStats {
    return this.#api.calls.stats;
  }

  async probe(): Promise<Capabilities> {
    this.#traits = undefined;
    const { server, fallbacks } = await this.#learn();
    const concurrency = this.#context.concurrency ?? CONCURRENCY;
    return { server, batch: BATCH, concurrency, canCount: true, fallbacks };
  }

  async inspect(scope: BucketScope, ownRecords: () => AsyncIterable<ObjectRecord>): Promise<ScopeState> {
    checkBucketName(scope, this.endpoint);
    const traits = await this.#learn();
    return await inspectBucket({ api: this.#api, traits }, scope, ownRecords);
  }

  async create(scope: BucketScope): Promise<ScopeNotes> {
    checkBucketName(scope, this.endpoint);
    const settings = await this.#settings();
    await createBucket(this.#api, settings.traits, scope);
    return { warnings: await applySettings(settings, scope, true) };
  }

  async empty(scope: BucketScope): Promise<ScopeNotes> {
    const settings = await this.#settings();
    await emptyBucket(this.#api, settings.traits, scope.target);
    return { warnings: await applySettings(settings, scope, false) };
  }

  async keep(scope: BucketScope): Promise<ScopeNotes> {
    return { warnings: await compareSettings(await this.#settings(), scope) };
  }

  async write(scope: BucketScope, batch: readonly ObjectRecord[]): Promise<Outcome[]> {
    const traits = await this.#learn();
    this.#writer ??= this.#createWriter(traits);
    const writer = this.#writer;
    const action = this.#context.policy.actionFor("object");
    const settled = await Promise.allSettled(batch.map((record) => writer.write(scope.target, record, action)));
    this.#anyWritten ||= settled.some((result) => result.status === "fulfilled" && result.value.kind === "restored");
    if (this.#context.signal?.aborted === true && settled.some(({ status }) => status === "rejected")) {
      throw new RestoreError("INTERRUPTED", "interrupted", { retry: "fatal" });
    }
    return settled.map((result) =>
      result.status === "fulfilled" ? result.value : outcomeOfError(result.reason, this.#anyWritten),
    );
  }

  finish(): Promise<ScopeNotes> {
    return Promise.resolve(NO_NOTES);
  }

  async close(): Promise<void> {
    await this.#multipart.abortPending();
    this.#api.destroy();
  }

  #createWriter(traits: Traits): ObjectWriter {
    return new ObjectWriter({
      api: this.#api,
      slots: this.#slots,
      multipart: this.#multipart,
      traits,
      multipartThresholdBytes: this.#target.multipartThresholdBytes ?? MULTIPART_THRESHOLD_BYTES,
      keepEtag: this.#target.keepEtag ?? false,
      probeKey: `.elastickv-restore-probe-${this.#context.policy.jobId}`,
    });
  }

  async #settings(): Promise<SettingsInit> {
    const { allowPublic = false, applyPolicies = false } = this.#target;
    return { api: this.#api, traits: await this.#learn(), allowPublic, applyPolicies };
  }

  /** Asked once; a probe that failed is asked again. */
  #learn(): Promise<Traits> {
    this.#traits ??= probeServer(this.#api, {
      aws: isAws(this.#target.endpoint),
      absentBucket: `elastickv-restore-probe-${this.#context.policy.jobId}`,
    }).catch((error: unknown) => {
      this.#traits = undefined;
      throw error;
    });
    return this.#traits;
  }
}
