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
  type EndAtStop,
  NO_NOTES,
  type Replayer,
  type ReplayerContext,
  type ScopeNotes,
  type ScopeState,
  stoppedBy,
} from "../replayer.js";
import type { Verifier } from "../verifier.js";
import { AbandonedUploads } from "./abandoned.js";
import { S3Api } from "./api.js";
import { assertThere, createBucket, inspectBucket } from "./bucket.js";
import { emptyBucket, removeBucket } from "./emptying.js";
import { ListingAhead } from "./listing-ahead.js";
import { bucketLosses } from "./losses.js";
import { Multipart } from "./multipart.js";
import { checkBucketName } from "./names.js";
import { probeServer, type Traits } from "./probe.js";
import { createRequests } from "./requests.js";
import { applySettings, compareSettings, type SettingsInit } from "./settings.js";
import { Slots } from "./slots.js";
import { Trials } from "./trials.js";
import { UploadNotes } from "./upload-notes.js";
import { S3Verifier } from "./verifier.js";
import { endsTheRun, ObjectWriter, outcomeOfError } from "./write-object.js";

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
/** Bodies on their way at once, each of three blocks of 1 MiB. */
const BODIES_AT_ONCE = 16;
const SOCKETS = 64;
/** Noted in a scope into which the job has written. */
const WRITTEN = "written";

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
  /** For what belongs to the write of an object. */
  readonly #writeApi: S3Api;
  readonly #notes: UploadNotes;
  readonly #abandoned: AbandonedUploads;
  readonly #trials: Trials;
  /** Contents on their way or being read, of writes and comparisons. */
  readonly #slots = new Slots(BODIES_AT_ONCE);
  readonly verifier: Verifier<"s3">;
  /** Ends what nobody waits for. */
  readonly #closing = new AbortController();
  #traits: Promise<Traits> | undefined;
  #ahead: ListingAhead | undefined;
  #writer: ObjectWriter | undefined;
  #anyWritten = false;

  constructor(target: S3Target, context: ReplayerContext) {
    this.#target = target;
    this.#context = context;
    const options = { ...target, maxSockets: target.maxSockets ?? SOCKETS };
    this.#api = new S3Api(createRequests(options, context));
    this.#writeApi = this.#api.forWrites();
    this.#notes = new UploadNotes(context.notebook, context.clock);
    this.#abandoned = new AbandonedUploads(this.#writeApi, this.#notes);
    const probeKey = `.elastickv-restore-probe-${context.policy.jobId}`;
    this.#trials = new Trials({ api: this.#writeApi, notebook: context.notebook, probeKey });
    this.endpoint = this.#api.endpoint;
    this.verifier = new S3Verifier({
      api: this.#api,
      settings: () => this.#settings(),
      slots: this.#slots,
      batch: BATCH,
      workDirectory: context.workDirectory,
    });
  }

  get stats(): CallStats {
    return this.#api.stats;
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

  /** Never empties. Settings that a process applied which did not live to say so are applied again, for their warnings. */
  async reopen(scope: BucketScope, takeover: "create" | "empty" | "keep"): Promise<ScopeNotes> {
    await assertThere(this.#api, scope);
    if (takeover === "keep") return NO_NOTES;
    return { warnings: await applySettings(await this.#settings(), scope, takeover === "create") };
  }

  async keep(scope: BucketScope): Promise<ScopeNotes> {
    return { warnings: await compareSettings(await this.#settings(), scope) };
  }

  async write(scope: BucketScope, batch: readonly ObjectRecord[]): Promise<Outcome[]> {
    const writer = await this.#learnedWriter();
    const action = this.#context.policy.actionFor("object");
    const settled = await Promise.allSettled(batch.map((record) => writer.write(scope, record, action)));
    await this.#keepInMind(scope, settled);
    const errors = settled.flatMap((result): unknown[] => (result.status === "rejected" ? [result.reason] : []));
    const ending = errors.filter((error) => endsTheRun(error, this.#anyWritten));
    // An interruption of some requests comes of what ends the others, or of the operator.
    const cause = ending.find((error) => !isInterruption(error)) ?? ending[0];
    const ends = settled.map((result, i): EndAtStop => {
      if (result.status === "fulfilled") return result.value;
      if (!endsTheRun(result.reason, this.#anyWritten)) return outcomeOfError(result.reason);
      const record = batch[i];
      return record !== undefined && writer.hasBegun(record) ? "unknown" : "not-sent";
    });
    if (ending.length > 0) throw stoppedBy(cause, ends);
    return ends.filter((end) => typeof end === "object");
  }

  /** Uploads that no process of the job goes on with are no use to anybody. */
  async finish(scope: BucketScope): Promise<ScopeNotes> {
    await this.#abandoned.sweep(scope, this.#notes.idle(scope));
    await this.#trials.sweep(scope, () => this.#learn());
    const { notebook } = this.#context;
    if (notebook.find(scope, WRITTEN).size > 0) await notebook.note(scope, WRITTEN);
    this.#ahead?.forget(scope.target);
    return { warnings: this.#abandoned.left(scope) };
  }

  async abandon(scope: BucketScope): Promise<ScopeNotes> {
    await this.#abandoned.sweep(scope, this.#notes.idle(scope));
    await this.#trials.sweep(scope, () => this.#learn());
    return { warnings: this.#abandoned.left(scope) };
  }

  async foresee(
    scope: BucketScope,
    batch: readonly ObjectRecord[],
    takeover: "create" | "empty" | "keep",
  ): Promise<Outcome[]> {
    const writer = await this.#learnedWriter();
    const how = { action: this.#context.policy.actionFor("object"), isEmptied: takeover !== "keep" };
    const settled = await Promise.allSettled(batch.map((record) => writer.foresee(scope, record, how)));
    return settled.map((result) => {
      if (result.status === "fulfilled") return result.value;
      if (endsTheRun(result.reason, this.#anyWritten)) throw result.reason;
      return outcomeOfError(result.reason);
    });
  }

  async losses(scope: BucketScope): Promise<readonly string[]> {
    return await bucketLosses(this.#api, await this.#learn(), scope.target);
  }

  async remove(scope: BucketScope): Promise<void> {
    await removeBucket(this.#api, await this.#learn(), scope);
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.#api.destroy();
    return Promise.resolve();
  }

  /** Credentials that wrote an object may write, also for the next process: what is denied to them is a record's own fault. */
  async #keepInMind(scope: BucketScope, settled: readonly PromiseSettledResult<Outcome>[]): Promise<void> {
    const { notebook } = this.#context;
    const isNoted = notebook.find(scope, WRITTEN).size > 0;
    this.#anyWritten ||= isNoted;
    if (!settled.some((result) => result.status === "fulfilled" && result.value.kind === "restored")) return;
    this.#anyWritten = true;
    if (!isNoted) await notebook.note(scope, WRITTEN, "yes");
  }

  async #learnedWriter(): Promise<ObjectWriter> {
    const traits = await this.#learn();
    this.#writer ??= this.#createWriter(traits);
    return this.#writer;
  }

  #createWriter(traits: Traits): ObjectWriter {
    const { signal: stop, clock } = this.#context;
    this.#ahead = new ListingAhead({ api: this.#api.aside(this.#closing.signal), clock, hidesBelow: traits.minio });
    const common = { api: this.#writeApi, slots: this.#slots, stop };
    return new ObjectWriter({
      ...common,
      multipart: new Multipart({ ...common, notes: this.#notes, abandoned: this.#abandoned }),
      traits,
      multipartThresholdBytes: this.#target.multipartThresholdBytes ?? MULTIPART_THRESHOLD_BYTES,
      keepEtag: this.#target.keepEtag ?? false,
      trials: this.#trials,
      ahead: this.#ahead,
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

function isInterruption(error: unknown): boolean {
  return error instanceof RestoreError && error.code === "INTERRUPTED";
}
