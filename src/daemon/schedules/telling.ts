/** Who is told what of a run that has ended. Pure. */
import { createHash } from "node:crypto";
import { present } from "../../support/present.js";
import type { Run, Told, WebhookBody } from "../schema/schedule.js";
import type { ScheduleSettings } from "../settings.js";
import { failingSince } from "./compare.js";
import type { Message } from "./outbox.js";

export interface Telling {
  readonly name: string;
  readonly settings: Pick<ScheduleSettings, "kind" | "root" | "target" | "notify" | "notifySuccess">;
  readonly host: string;
  readonly run: Run;
  /** The runs before it, the latest first. */
  readonly before: readonly Run[];
}

/** The same however often it is asked for: so is each message's id. */
export function messagesOf(telling: Telling): Pick<Message, "id" | "webhook" | "body">[] {
  const event = eventOf(telling);
  if (event === undefined) return [];
  return [...new Set(telling.settings.notify)].map((webhook) => {
    const id = createHash("sha256")
      .update(`${subjectOf(telling)} ${event} ${webhook}`)
      .digest("hex")
      .slice(0, 32);
    return { id, webhook, body: JSON.stringify(bodyOf(telling, event, id)) };
  });
}

/** A run that is left out has no id yet by which it is found again. */
function subjectOf({ name, run }: Telling): string {
  return run.outcome === "skipped" ? `${name} ${run.due}` : run.id;
}

function eventOf({ run, before, settings }: Telling): Told | undefined {
  switch (run.outcome) {
    case "failed":
    case "refused":
      return "run-failed";
    case "objective-missed":
      return "objective-missed";
    case "passed":
      if (failingSince(before) !== undefined) return "recovered";
      return settings.notifySuccess ? "run-passed" : undefined;
    case "skipped":
      return "run-skipped";
    default:
      return undefined;
  }
}

function bodyOf(telling: Telling, event: Told, id: string): WebhookBody {
  const { name, settings, host, run, before } = telling;
  const { kind, root, target } = settings;
  return {
    version: 1,
    id,
    event,
    text: textOf(telling, event),
    host,
    schedule: { name, kind, root, ...present({ target }) },
    ...present({ failingSince: failingSince(run.outcome === "passed" ? before : [run, ...before]) }),
    run,
  };
}

function textOf({ name, settings, host, run, before }: Telling, event: Told): string {
  const what = `${settings.kind} "${name}" on ${host}`;
  const dump =
    run.dump === undefined ? "" : ` (${[run.dump.root, run.dump.path].filter((part) => part !== "").join("/")})`;
  switch (event) {
    case "run-failed":
      return `${what} failed${dump}: ${whyOf(run)}`;
    case "objective-missed":
      return `${what} missed its objective${dump}: ${missedOf(run).join("; ")}`;
    case "recovered":
      return `${what} passed again${dump}; it had not since ${failingSince(before)}`;
    case "run-passed":
      return `${what} passed${dump}`;
    case "run-skipped":
      return `${what} was not run: ${run.reason}`;
  }
}

function whyOf(run: Run): string {
  if (run.error !== undefined) return `${run.error.message} (${run.error.code})`;
  const whys = [...(run.failures ?? []), ...missedOf(run)];
  return whys.length > 0 ? whys.join("; ") : (run.verdict ?? `exit status ${run.exitStatus ?? "unknown"}`);
}

function missedOf({ objectives, verdict }: Run): string[] {
  const { recoveryTime, recoveryPoint } = objectives ?? {};
  const missed = [
    ...(recoveryTime?.met === false
      ? [`the restore took ${seconds(recoveryTime.ms)}, at most ${seconds(recoveryTime.maxMs)} were allowed`]
      : []),
    ...(recoveryPoint?.met === false
      ? [`the dump was ${seconds(recoveryPoint.ms)} old, at most ${seconds(recoveryPoint.maxMs)} were allowed`]
      : []),
  ];
  return missed.length === 0 && verdict === "objective-missed" ? [verdict] : missed;
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? "an unknown time" : `${Math.round(ms / 100) / 10} s`;
}
