/** Fails the power in a recorded history of a journal, and looks at what is found again. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { openFileJournal, readFileJournal } from "../../src/run/journal/file-journal.js";
import { pictureOf, Scenario, type Step } from "./journal-scenario.js";
import { DiskRecord, type Draw, recordTo } from "./recorded-disk.js";

const CLOCK = { now: () => 1_700_000_000_000 };

export interface PowerLoss {
  readonly steps: readonly Step[];
  readonly segmentBytes: number;
  readonly draw: Draw;
  /** How many moments are tried. */
  readonly moments: number;
}

export interface Survey {
  /** How many images were recovered. */
  images: number;
  /** How many of them had lost something. */
  shorter: number;
  /** Moments at which something had been promised. */
  promised: number;
}

/** A file system without a disk, where there is one. */
const MEMORY = "/dev/shm";

/** @throws with the moment, for an image from which not exactly a beginning with everything promised comes back */
export async function surviveEverywhere(loss: PowerLoss): Promise<Survey> {
  const root = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "elastickv-restore-power-"));
  try {
    const directory = join(root, "job");
    mkdirSync(directory);
    const record = new DiskRecord(directory);
    const scenario = await play(loss, directory, record);
    const survey = { images: 0, shorter: 0, promised: 0 };
    for (let i = 0; i < loss.moments; i++) {
      const moment = loss.draw(record.time);
      const image = join(root, `image-${i}`);
      record.image(moment, image, loss.draw);
      await recoverImage(image, moment, { scenario, survey });
      rmSync(image, { recursive: true });
    }
    return survey;
  } finally {
    recordTo(undefined);
    rmSync(root, { recursive: true, force: true });
  }
}

async function play({ steps, segmentBytes }: PowerLoss, directory: string, record: DiskRecord): Promise<Scenario> {
  recordTo(record);
  const { journal } = await openFileJournal({ directory, clock: CLOCK, segmentBytes });
  const scenario = new Scenario(journal, () => record.time);
  await scenario.play(steps);
  // Finished scopes with records under way are the scenario's doing.
  await journal.close().catch(() => undefined);
  recordTo(undefined);
  return scenario;
}

async function recoverImage(
  image: string,
  moment: number,
  { scenario, survey }: { readonly scenario: Scenario; readonly survey: Survey },
): Promise<void> {
  const least = Math.max(0, ...scenario.promised.filter(({ time }) => time <= moment).map(({ entries }) => entries));
  const scopes = pictureOf(await readFileJournal(image));
  const { journal } = await openFileJournal({ directory: image, clock: CLOCK });
  await journal.close().catch(() => undefined);
  const again = pictureOf(await readFileJournal(image));
  if (!isDeepStrictEqual(again, scopes)) throw new Error(`moment ${moment}: opening it changed what it holds`);
  const listed = readFileSync(join(image, "listed.jsonl"), "utf8").split("\n").slice(0, -1).map(sortedMembers);
  const found = scenario.pictures.findIndex(
    (picture, entries) =>
      entries >= least &&
      isDeepStrictEqual(picture.scopes, scopes) &&
      isDeepStrictEqual(picture.listed.map(sortedMembers), listed),
  );
  if (found < 0) throw new Error(`moment ${moment}: not a beginning with the ${least} entries that were promised`);
  survey.images++;
  if (found < scenario.pictures.length - 1) survey.shorter++;
  if (least > 0) survey.promised++;
}

function sortedMembers(line: string): string {
  return JSON.stringify(Object.entries(JSON.parse(line) as object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Numbers that a seed decides. */
export function drawer(seed: number): Draw {
  let state = seed >>> 0;
  return (max) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * (max + 1));
  };
}
