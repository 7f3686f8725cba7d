/** Measures a restore by the events that it reports, and hands them on. */
import { ADAPTERS, type Adapter } from "../../model/scope.js";
import type { Clock } from "../../support/clock.js";
import type { ProgressEvent, ProgressSink } from "../progress.js";
import { Timeline, type TimelinePoint } from "../timeline.js";

export interface AdapterPace {
  readonly adapter: Adapter;
  readonly records: number;
  readonly bytes: number;
  /** From the first scope's begin to the last one's end. */
  readonly durationMs: number;
  readonly recordsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly timeline: readonly TimelinePoint[];
}

interface Measured {
  records: number;
  bytes: number;
  startedAt: number;
  endedAt: number;
  /** Milliseconds from the restore's begin to the last record. */
  lastMs: number;
  readonly timeline: Timeline;
}

export class MeasuringSink implements ProgressSink {
  readonly #inner: ProgressSink;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #byAdapter = new Map<Adapter, Measured>();
  readonly #timelines: Readonly<Record<Adapter, Timeline>>;
  #firstRecordMs: number | undefined;

  /** Begins now. */
  constructor(inner: ProgressSink, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
    // All begin at the same moment, so that they can be drawn over one axis.
    const [dynamodb, s3, redis, sqs] = [
      new Timeline(clock),
      new Timeline(clock),
      new Timeline(clock),
      new Timeline(clock),
    ];
    this.#timelines = { dynamodb, s3, redis, sqs };
  }

  /** Milliseconds from the begin to the first record that was restored. */
  get firstRecordMs(): number | undefined {
    return this.#firstRecordMs;
  }

  report(event: ProgressEvent): void {
    this.#inner.report(event);
    if (event.type === "scope-started") this.#of(event.scope.adapter);
    if (event.type === "scope-finished") this.#of(event.scope.adapter).endedAt = this.#clock.monotonic();
    if (event.type !== "records") return;
    const restored = event.outcome === "restored" ? event.records : 0;
    const bytes = restored > 0 ? event.bytes : 0;
    if (restored > 0) this.#firstRecordMs ??= Math.round(this.#clock.monotonic() - this.#startedAt);
    const measured = this.#of(event.scope.adapter);
    measured.records += restored;
    measured.bytes += bytes;
    measured.endedAt = this.#clock.monotonic();
    measured.lastMs = Math.round(measured.endedAt - this.#startedAt);
    measured.timeline.add(restored, bytes);
  }

  paces(): AdapterPace[] {
    return ADAPTERS.flatMap((adapter) => {
      const measured = this.#byAdapter.get(adapter);
      if (measured === undefined) return [];
      const { records, bytes, startedAt, endedAt, lastMs, timeline } = measured;
      const ms = Math.max(endedAt - startedAt, 1);
      return [
        {
          adapter,
          records,
          bytes,
          durationMs: Math.round(endedAt - startedAt),
          recordsPerSecond: Math.round((records / ms) * 10_000) / 10,
          bytesPerSecond: Math.round((bytes / ms) * 1_000),
          // It ends with the adapter's own last record, not with the restore.
          timeline: [...timeline.points().slice(0, -1), [lastMs, records, bytes]],
        },
      ];
    });
  }

  #of(adapter: Adapter): Measured {
    let measured = this.#byAdapter.get(adapter);
    if (measured === undefined) {
      const now = this.#clock.monotonic();
      measured = { records: 0, bytes: 0, startedAt: now, endedAt: now, lastMs: 0, timeline: this.#timelines[adapter] };
      this.#byAdapter.set(adapter, measured);
    }
    return measured;
  }
}
