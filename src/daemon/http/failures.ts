/**
 * Failed authentications by address. Beyond so many in a minute an address is told to wait instead of being told that its
 * token is wrong; a right token is answered all the same, so nobody can keep others out by failing in their name.
 */
import { isIP } from "node:net";
import type { Clock } from "../../support/clock.js";

const MOST_A_MINUTE = 10;
const MINUTE_MS = 60_000;
/** Whoever has more addresses than that pushes out others' counts, and nothing more. */
const MOST_ADDRESSES = 10_000;

interface Counted {
  readonly since: number;
  readonly count: number;
}

export class FailedAuthentications {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #byAddress = new Map<string, Counted>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Counts one more; answers the seconds to wait where there were too many. */
  add(address: string): number | undefined {
    const key = networkOf(address);
    const now = this.#clock.monotonic();
    const known = this.#byAddress.get(key);
    const { since, count } = known === undefined || now - known.since >= MINUTE_MS ? { since: now, count: 0 } : known;
    this.#byAddress.delete(key);
    this.#byAddress.set(key, { since, count: count + 1 });
    const [oldest] = this.#byAddress.keys();
    if (this.#byAddress.size > MOST_ADDRESSES && oldest !== undefined) this.#byAddress.delete(oldest);
    return count < MOST_A_MINUTE ? undefined : Math.max(1, Math.ceil((since + MINUTE_MS - now) / 1000));
  }
}

/** Of IPv6, whoever has one address has 2^64 of them. */
function networkOf(address: string): string {
  if (isIP(address) !== 6 || address.includes(".")) return address;
  const [head = "", tail = ""] = address.split("::");
  const [before, after] = [head, tail].map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: 8 - (before?.length ?? 0) - (after?.length ?? 0) }, () => "0");
  return [...(before ?? []), ...(address.includes("::") ? zeros : []), ...(after ?? [])].slice(0, 4).join(":");
}
