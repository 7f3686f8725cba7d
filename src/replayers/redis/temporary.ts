/**
 * Collections that take more than one command: built under a temporary key and put in place in one atomic step, so that
 * no reader sees half of one and a crash leaves none. The temporary key has no expiry until it is complete: it must not
 * vanish half-way and come back half.
 *
 * A build starts over when it cannot be known what the temporary key holds: an answer was lost, or the server is another
 * process than at the start. A command whose connection broke can still arrive, late, when something between keeps it:
 * so the commit counts the elements, and a key that lost or doubled some is built again.
 */
import { createHash } from "node:crypto";

import { RestoreError } from "../../errors/restore-error.js";
import type { Note } from "../../model/outcome.js";
import { momentNow, type WriteContext } from "./context.js";
import { type Moment, notesOf, scriptArgs } from "./expiry.js";
import { isReplyLost } from "./outcomes.js";
import { COMMIT, type ScriptMode } from "./scripts.js";

const PREFIX = "elastickv-restore";
const MARKER_KEYS = 64;
const MAX_BUILDS = 10;
/** What the commit answers when the temporary key is not what was built. */
const AGAIN: ReadonlySet<string> = new Set(["gone", "torn"]);

/**
 * The temporary key of a record: the same whenever the same job writes the same key, so that a second run of the job
 * overwrites what a first left. It shares the key's hash slot where a hash tag can make it.
 */
export function temporaryKey(jobId: string, key: Buffer): Buffer {
  const name = `${PREFIX}:${jobId}:${createHash("sha256").update(key).digest("hex").slice(0, 32)}:`;
  return Buffer.concat([Buffer.from(`${name}{`), slotTag(key), Buffer.from("}")]);
}

/** What Redis hashes of a key: the part between the first `{` and the next `}`, unless that is empty. */
function slotTag(key: Buffer): Buffer {
  const open = key.indexOf("{");
  const close = open < 0 ? -1 : key.indexOf("}", open + 1);
  return close > open + 1 ? key.subarray(open + 1, close) : key;
}

/** Where the markers of append writes stand: a hash, one of a few, and the record's field in it. */
export function markerOf(jobId: string, key: Buffer): { readonly markers: Buffer; readonly field: string } {
  const digest = createHash("sha256").update(key).digest();
  const bucket = (digest[0] ?? 0) % MARKER_KEYS;
  return { markers: Buffer.from(`${PREFIX}:${jobId}:markers:${bucket}`), field: digest.toString("hex", 0, 16) };
}

export function markerKeys(jobId: string): Buffer[] {
  return Array.from({ length: MARKER_KEYS }, (_, i) => Buffer.from(`${PREFIX}:${jobId}:markers:${i}`));
}

/** Thrown by `fill` when the temporary key is not what it should be: build it again. */
export class Rebuild extends Error {}

export interface BuildInit {
  readonly key: Buffer;
  readonly expireAtMs?: bigint;
  readonly kind: string;
  readonly mode: ScriptMode;
  /** Written together with the commit, for records that may not be written twice. */
  readonly marker?: { readonly markers: Buffer; readonly field: string };
  /** Writes the whole content under the temporary key, which is not there. Answers its number of elements. May run again. */
  readonly fill: (temporary: Buffer) => Promise<number | undefined>;
}

export interface BuildAnswer {
  readonly word: string;
  readonly notes: readonly Note[];
}

/** @throws what `fill` and the link throw, with the temporary key deleted as far as the target can be reached */
export async function buildAndCommit(context: WriteContext, init: BuildInit): Promise<BuildAnswer> {
  const temporary = temporaryKey(context.policy.jobId, init.key);
  for (let build = 0; build < MAX_BUILDS; build++) {
    const generation = context.generation();
    try {
      await context.link.command("DEL", [temporary]);
      const elements = await init.fill(temporary);
      if (context.generation() !== generation) continue;
      const answer = await commit(context, init, { temporary, elements });
      if (AGAIN.has(answer.word)) continue;
      if (answer.word !== "ok") await discard(context, temporary);
      if (context.generation() === generation) return answer;
    } catch (error) {
      if (error instanceof Rebuild || isReplyLost(error)) continue;
      await discard(context, temporary, error);
      throw error;
    }
  }
  await discard(context, temporary);
  throw new RestoreError("CALL_FAILED", `the key could not be built in ${MAX_BUILDS} attempts`, {
    reason: "kept-failing",
  });
}

interface Built {
  readonly temporary: Buffer;
  readonly elements: number | undefined;
}

/** Repeats safely: nobody else knows the temporary key, so when it is gone, our commit was applied. */
async function commit(context: WriteContext, init: BuildInit, built: Built): Promise<BuildAnswer> {
  for (;;) {
    let moment: Moment = { how: "N" };
    try {
      const [reply] = await context.link.request({
        build: () => {
          moment = momentNow(context, init);
          return moment.how === "skip" ? [] : [{ name: "EVAL", args: commitArgs(init, built, moment) }];
        },
        repeatable: false,
      });
      if (reply instanceof Error) throw context.link.classify(reply, "RENAME");
      return { word: reply === undefined ? "expired" : String(reply), notes: notesOf(moment) };
    } catch (error) {
      if (!isReplyLost(error)) throw error;
      if ((await context.link.command("EXISTS", [built.temporary])) !== 1)
        return { word: "ok", notes: notesOf(moment) };
    }
  }
}

function commitArgs(init: BuildInit, { temporary, elements }: Built, moment: Moment): (string | Buffer)[] {
  const { key, kind, mode, marker } = init;
  const keys = marker === undefined ? [temporary, key] : [temporary, key, marker.markers];
  const field = marker === undefined ? [] : [marker.field];
  return [COMMIT, String(keys.length), ...keys, mode, kind, ...scriptArgs(moment), String(elements ?? ""), ...field];
}

/** Leaves no temporary key behind, as far as the target can be reached after the error that led here. Never throws. */
export async function discard(context: WriteContext, temporary: Buffer, after?: unknown): Promise<void> {
  // After an outage the target cannot be asked to delete anything; the next run of the job will.
  if (after instanceof RestoreError && after.retry === "fatal") return;
  try {
    await context.link.command("DEL", [temporary]);
  } catch {
    // The next run of the job deletes it before it builds.
  }
}
