/** Keeps what a drill came to: its report in three forms, and a line in the history. */
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, RestoreError, systemCode } from "../errors/restore-error.js";
import { addToHistory, sha256 } from "../run/drill/history.js";
import type { DrillReport } from "../run/drill/report.js";
import { acquireLock } from "../run/job/locks.js";
import { systemClock } from "../support/clock.js";
import { present } from "../support/present.js";
import { drillMarkdown } from "./drill-markdown.js";
import { htmlDrill } from "./html/drill.js";
import type { Io } from "./io.js";
import { json, writeResult } from "./output.js";

export interface Evidence {
  readonly json: string;
  readonly markdown: string;
  readonly html: string;
}

export function evidenceIn(out: string): Evidence {
  return { json: join(out, "drill.json"), markdown: join(out, "drill.md"), html: join(out, "drill.html") };
}

/** That there is room for evidence is found before anything is started. @throws RestoreError USAGE */
export async function makeRoomForEvidence(out: string): Promise<void> {
  await mkdir(out, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new RestoreError("USAGE", `--out: ${out} cannot be made: ${messageOf(cause)}`, {
      hint: "Name a folder that can be written to.",
    });
  });
  await assertNew(evidenceIn(out).json);
}

/** An earlier drill's evidence is never written over. */
async function assertNew(path: string): Promise<void> {
  const file = await open(path, "wx", 0o600).catch((cause: unknown) => {
    const isThere = systemCode(cause) === "EEXIST";
    throw new RestoreError("USAGE", isThere ? `--out: ${path} is there already` : `--out: ${messageOf(cause)}`, {
      hint: "Name a folder that can be written to and holds no other drill's evidence.",
    });
  });
  await file.close();
  await rm(path);
}

const WAIT_MS = 100;
const TRIES = 100;

/** @throws RestoreError LOCAL_IO */
export async function keepEvidence(
  report: DrillReport,
  {
    evidence,
    historyPath,
    stateDirectory,
    io,
  }: {
    readonly evidence: Evidence;
    readonly historyPath: string;
    readonly stateDirectory: string;
    readonly io: Pick<Io, "isAlive" | "pid">;
  },
): Promise<void> {
  const text = await writeEvidence(report, evidence);
  const lock = await historyLock(stateDirectory, report.drill, io);
  try {
    await addToHistory(historyPath, historyLine(report, evidence, sha256(text)));
  } finally {
    await lock.release();
  }
}

/** The report in its three forms. @returns the text of the JSON file @throws RestoreError LOCAL_IO */
export async function writeEvidence(report: DrillReport, evidence: Evidence): Promise<string> {
  const text = json(report);
  await writeResult(evidence.json, text);
  await writeResult(evidence.markdown, drillMarkdown(report));
  await writeResult(evidence.html, htmlDrill(report));
  return text;
}

/** Two drills that end at once add their lines one after the other. */
async function historyLock(directory: string, drill: string, { pid, isAlive }: Pick<Io, "isAlive" | "pid">) {
  for (let tries = 1; ; tries++) {
    try {
      return await acquireLock({ what: `history ${directory}`, holder: { pid, job: drill }, directory, isAlive });
    } catch (error) {
      if (!(error instanceof RestoreError) || error.code !== "JOB_HELD" || tries >= TRIES) throw error;
      await systemClock.sleep(WAIT_MS);
    }
  }
}

function historyLine(report: DrillReport, evidence: Evidence, reportSha256: string) {
  const { drill, startedAt, verdict, exitStatus, dump, trend, restore, times } = report;
  const { restored = 0 } = restore?.totals ?? {};
  const restoreMs = restore?.status === "finished" ? times.restoreMs : undefined;
  return {
    historyVersion: 1 as const,
    ...{ drill, startedAt, verdict, exitStatus, dump: dump.path, series: trend.series },
    ...present({
      takenAt: dump.takenAt,
      restoreMs,
      verifyMs: times.verifyMs,
      recordsPerSecond:
        restoreMs === undefined ? undefined : Math.round((restored / Math.max(restoreMs, 1)) * 10_000) / 10,
    }),
    records: restored,
    bytes: restore?.bytesRestored ?? 0,
    report: evidence.json,
    reportSha256,
  };
}
