/** The word by which somebody who may destroy says that what a plan deletes is to be deleted. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { Fault } from "../fault.js";
import type { JobRecord } from "./record.js";

export type Confirmation = NonNullable<NonNullable<JobRecord["keptPlan"]>["confirmation"]>;

const BYTES = 16;
/** Of a plan that is older, nobody knows any more what they looked at. */
const HOLDS_MS = 24 * 3_600_000;

/** `now`: Unix milliseconds. */
export function newConfirmation(now: number): Confirmation {
  return { token: randomBytes(BYTES).toString("hex"), until: now + HOLDS_MS };
}

export function holds({ until }: Confirmation, now: number): boolean {
  return now < until;
}

/** @throws Fault NOT_CONFIRMED, PLAN_OUTDATED */
export function assertConfirmed(confirmation: Confirmation, given: string | undefined, now: number): void {
  if (given === undefined) {
    throw new Fault("NOT_CONFIRMED", "the plan deletes what its targets hold, and nobody confirmed it", {
      hint: "Nothing was begun. Look at the plan (`GET /v1/jobs/<plan>/plan`), and send its `confirm` with the restore.",
    });
  }
  if (!isSame(given, confirmation.token)) {
    throw new Fault("PLAN_OUTDATED", "the confirmation is not that of this plan", {
      hint: "Nothing was begun. Send the `confirm` that stands in this plan's answer.",
    });
  }
  if (!holds(confirmation, now)) {
    throw new Fault("PLAN_OUTDATED", "the plan is over a day old: its confirmation holds no more", {
      hint: "Nothing was begun. Make a new plan, look at it, and confirm that one.",
    });
  }
}

/** In a time that tells nothing of where they differ, nor of the length. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash("sha256").update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
