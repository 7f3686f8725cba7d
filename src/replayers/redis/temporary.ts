/**
 * Collections that take more than one command: built under a temporary key and put in place in one atomic step, so that
 * no reader sees half of one and a crash leaves none. The temporary key has no expiry until it is complete: it must not
 * vanish half-way and come back half. Where the target cannot replace a large collection in one step (`deleteLimit`),
 * what stood there goes first.
 *
 * A build starts over when it cannot be known what the temporary key holds: an answer was lost, or the server is another
 * process than at the start. A command whose connection broke can still arrive, late, when something between keeps it:
 * so the commit counts the elements, and a key that lost or doubled some is built again.
 */
import { RestoreError } from "../../errors/restore-error.js";
import type { Note } from "../../model/outcome.js";
import { momentNow, type WriteContext } from "./context.js";
import { type Moment, notesOf, scriptArgs } from "./expiry.js";
import { isReplyLost } from "./outcomes.js";
import { temporaryKey } from "./own-keys.js";
import { COMMIT, type ScriptMode } from "./scripts.js";

const MAX_BUILDS = 10;
/** What the commit answers when the temporary key is not what was built. */
const NOT_BUILT: ReadonlySet<string> = new Set(["gone", "torn"]);

/** Thrown by `fill` when the temporary key is not what it should be: build it again. */
export class Rebuild extends Error {}

export interface BuildInit {
  readonly key: Buffer;
  readonly kind: string;
  readonly mode: ScriptMode;
  /** Written together with the commit, for records that may not be written twice. */
  readonly marker?: { readonly markers: Buffer; readonly field: string };
  /** Writes the whole content under the temporary key, which is not there. May run again: `isRebuilt`. */
  readonly fill: (temporary: Buffer, isRebuilt: boolean) => Promise<Filled>;
}

/** What a key was filled with. */
export interface Filled {
  /** Undefined where a key does not know how many it has. */
  readonly elements: number | undefined;
  readonly expireAtMs: bigint | undefined;
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
      await removeWhole(context, temporary);
      const filled = await init.fill(temporary, build > 0);
      if (context.generation() !== generation) continue;
      const answer = await commit(context, init, { temporary, ...filled });
      if (NOT_BUILT.has(answer.word)) continue;
      // Where DEL leaves parts, so does RENAME of what it renames, unseen by the script.
      if (answer.word !== "ok" || context.abilities.deleteLimit !== undefined) await discard(context, temporary);
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

interface Built extends Filled {
  readonly temporary: Buffer;
}

/** Repeats safely: nobody else knows the temporary key, so when it is gone, our commit was applied. */
async function commit(context: WriteContext, init: BuildInit, built: Built): Promise<BuildAnswer> {
  for (;;) {
    let moment: Moment = { how: "N" };
    try {
      const [reply] = await context.link.request({
        build: () => {
          moment = momentNow(context, built);
          return moment.how === "skip" ? [] : [{ name: "EVAL", args: commitArgs(context, init, { ...built, moment }) }];
        },
        repeatable: false,
      });
      if (reply instanceof Error) throw context.link.classify(reply, "RENAME");
      const word = reply === undefined ? "expired" : String(reply);
      if (word !== "again") return { word, notes: notesOf(moment) };
    } catch (error) {
      if (!isReplyLost(error)) throw error;
      if ((await context.link.command("EXISTS", [built.temporary])) !== 1)
        return { word: "ok", notes: notesOf(moment) };
    }
  }
}

function commitArgs(
  { abilities }: WriteContext,
  init: BuildInit,
  { temporary, elements, moment }: Built & { readonly moment: Moment },
): (string | Buffer)[] {
  const { key, kind, mode, marker } = init;
  const keys = marker === undefined ? [temporary, key] : [temporary, key, marker.markers];
  const field = marker === undefined ? [] : [marker.field];
  const numbers = [elements, abilities.deleteLimit].map((number) => String(number ?? ""));
  return [COMMIT, String(keys.length), ...keys, mode, kind, ...scriptArgs(moment), ...numbers, ...field];
}

/** Leaves no temporary key behind, as far as the target can be reached after the error that led here. Never throws. */
export async function discard(context: WriteContext, temporary: Buffer, after?: unknown): Promise<void> {
  // After an outage the target cannot be asked to delete anything; the next run of the job will.
  if (after instanceof RestoreError && after.retry === "fatal") return;
  try {
    await removeWhole(context, temporary);
  } catch {
    // The next run of the job deletes it before it builds.
  }
}

/**
 * Deletes a key, in as many steps as the target needs: elastickv's DEL leaves parts of a large set, hash or sorted set
 * under the key. @throws RestoreError as `Link.request`
 */
export async function removeWhole(
  { link, abilities }: Pick<WriteContext, "abilities" | "link">,
  key: Buffer,
): Promise<void> {
  do await link.command("DEL", [key]);
  while (abilities.deleteLimit !== undefined && (await link.command("EXISTS", [key])) === 1);
}
