/**
 * Rate limits. Bottleneck hands out leases, one a quantum: each adds what the rate allows for the time since the last
 * one, and callers spend it. Records are never wrapped in jobs of their own: Bottleneck manages some hundred jobs a
 * second, a restore sends thousands of operations.
 *
 * What is unused of the leases is kept for a moment only, so an idle second is no licence for a burst, and no second holds
 * more than 5 % over its limit: LONGEST_LEASE_MS of it kept from before, and what the last request asks for beyond what is
 * left, which is a PORTION at most where requests can be made smaller. One request larger than the budget is sent whole
 * and paid off by waiting after it.
 */
import Bottleneck from "bottleneck";
import { ADAPTERS, type Adapter } from "../model/scope.js";
import { type Pacer, type Portion, UNPACED } from "../replayers/calls.js";
import type { Clock } from "../support/clock.js";
import type { RunControl } from "./control.js";
import type { RateLimit, RateLimits } from "./rates.js";

const QUANTUM_MS = 10;
/** Leases cover at most this much time together, however late one is handed out. */
const LONGEST_LEASE_MS = 3 * QUANTUM_MS;
/** Of a second's budget. */
const PORTION = 0.01;

class Budget {
  #credit: number;
  readonly #perSecond: number;

  /** What the one before has overdrawn is paid off by this one. */
  constructor(perSecond: number, before?: Budget) {
    this.#perSecond = perSecond;
    this.#credit = Math.min(0, before === undefined ? 0 : before.#credit);
  }

  /** The most that one request should spend. */
  get portion(): number {
    return Math.max(1, Math.floor(this.#perSecond * PORTION));
  }

  get usable(): boolean {
    return this.#credit > 0;
  }

  /** What was overdrawn is paid off first, by all the time that has passed. */
  renew(elapsedMs: number): void {
    const credit = this.#credit + (this.#perSecond * elapsedMs) / 1000;
    this.#credit = Math.min(credit, (this.#perSecond * LONGEST_LEASE_MS) / 1000);
  }

  spend(amount: number): void {
    this.#credit -= amount;
  }
}

export class LeasedPacer implements Pacer {
  readonly #limiter = new Bottleneck({ minTime: QUANTUM_MS, maxConcurrent: 1 });
  readonly #clock: Clock;
  readonly #control: RunControl | undefined;
  #ops: Budget | undefined;
  #bytes: Budget | undefined;
  #lastLeaseAt: number | undefined;
  #queue: Promise<void> = Promise.resolve();

  /** `control`: may hold it up. */
  constructor(limit: RateLimit, clock: Clock, control?: RunControl) {
    this.#clock = clock;
    this.#control = control;
    this.limitTo(limit);
  }

  /** Holds from now on, also for those who wait. What was not spent under the limit before is not kept. */
  limitTo({ opsPerSecond, bytesPerSecond }: RateLimit): void {
    this.#ops = opsPerSecond === undefined ? undefined : new Budget(opsPerSecond, this.#ops);
    this.#bytes = bytesPerSecond === undefined ? undefined : new Budget(bytesPerSecond, this.#bytes);
  }

  get portion(): Portion {
    const { ops, bytes } = UNPACED.portion;
    return { ops: this.#ops?.portion ?? ops, bytes: this.#bytes?.portion ?? bytes };
  }

  /** Resolves when `ops` and `bytes` may be sent; callers are served in the order in which they came. */
  acquire(ops: number, bytes: number, signal?: AbortSignal): Promise<void> {
    const turn = this.#queue.then(() => this.#take(ops, bytes, signal));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #take(ops: number, bytes: number, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      // Whoever was let by before a pause would be sent with many others behind it.
      if (this.#control?.isPaused === true) await this.#control.pass(signal);
      if (this.#usable()) break;
      signal?.throwIfAborted();
      await this.#limiter.schedule(async () => this.#renew());
    }
    this.#ops?.spend(ops);
    this.#bytes?.spend(bytes);
  }

  #usable(): boolean {
    if (this.#ops === undefined && this.#bytes === undefined) return true;
    // Time that nobody counted yet would pay off what is spent only now.
    const stale = this.#lastLeaseAt === undefined || this.#clock.monotonic() - this.#lastLeaseAt > QUANTUM_MS * 1.5;
    return !stale && this.#ops?.usable !== false && this.#bytes?.usable !== false;
  }

  #renew(): void {
    const now = this.#clock.monotonic();
    const elapsedMs = this.#lastLeaseAt === undefined ? QUANTUM_MS : now - this.#lastLeaseAt;
    this.#lastLeaseAt = now;
    this.#ops?.renew(elapsedMs);
    this.#bytes?.renew(elapsedMs);
  }
}

/** Asks the first budget and then the second, for one request after another: what waits has spent nothing of either. */
class Both implements Pacer {
  readonly #first: Pacer;
  readonly #second: Pacer;
  #queue: Promise<void> = Promise.resolve();

  constructor(first: Pacer, second: Pacer) {
    this.#first = first;
    this.#second = second;
  }

  get portion(): Portion {
    const [first, second] = [this.#first.portion, this.#second.portion];
    return { ops: Math.min(first.ops, second.ops), bytes: Math.min(first.bytes, second.bytes) };
  }

  acquire(ops: number, bytes: number, signal?: AbortSignal): Promise<void> {
    const turn = this.#queue.then(async () => {
      await this.#first.acquire(ops, bytes, signal);
      await this.#second.acquire(ops, bytes, signal);
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

/** Tells the control what is under way. */
class Controlled implements Pacer {
  readonly #inner: Pacer;
  readonly #control: RunControl;

  constructor(inner: Pacer, control: RunControl) {
    this.#inner = inner;
    this.#control = control;
  }

  get portion(): Portion {
    return this.#inner.portion;
  }

  async acquire(ops: number, bytes: number, signal?: AbortSignal): Promise<void> {
    await this.#inner.acquire(ops, bytes, signal);
    this.#control.begin();
  }

  ended(): void {
    this.#control.end();
  }

  pausedSince(at: number): number {
    return this.#control.pausedSince(at);
  }
}

/**
 * One pacer an adapter, the same at every call. A limit for all is shared by the adapters, beside their own. With a
 * control they wait while it is paused, and follow the limits that it is told.
 */
export function pacersFor(limits: RateLimits, clock: Clock, control?: RunControl): (adapter: Adapter) => Pacer {
  const made = control === undefined ? fixed(limits, clock) : controlled(limits, clock, control);
  return (adapter) => made.get(adapter) ?? UNPACED;
}

function fixed(limits: RateLimits, clock: Clock): ReadonlyMap<Adapter, Pacer> {
  const shared = limits.all === undefined ? undefined : new LeasedPacer(limits.all, clock);
  return new Map(
    ADAPTERS.map((adapter): [Adapter, Pacer] => {
      const limit = limits[adapter];
      const own = limit === undefined ? undefined : new LeasedPacer(limit, clock);
      if (shared === undefined) return [adapter, own ?? UNPACED];
      return [adapter, own === undefined ? shared : new Both(shared, own)];
    }),
  );
}

/** Any of them may be limited later. */
function controlled(limits: RateLimits, clock: Clock, control: RunControl): ReadonlyMap<Adapter, Pacer> {
  const leased = new Map((["all", ...ADAPTERS] as const).map((name) => [name, new LeasedPacer({}, clock, control)]));
  const follow = (rates: RateLimits) => {
    for (const [name, pacer] of leased) pacer.limitTo(rates[name] ?? {});
  };
  follow(control.rates ?? limits);
  control.onRates(follow);
  const of = (name: Adapter | "all") => leased.get(name) ?? UNPACED;
  return new Map(ADAPTERS.map((adapter) => [adapter, new Controlled(new Both(of("all"), of(adapter)), control)]));
}
