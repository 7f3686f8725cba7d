/** `drill`: a disaster-recovery drill. */
import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { EXIT } from "../../errors/codes.js";
import { interruptionStatus } from "../../errors/interruption.js";
import { RestoreError } from "../../errors/restore-error.js";
import { readAssertions } from "../../run/drill/assertion-file.js";
import { drill as drillRun } from "../../run/drill/drill.js";
import { drillDirectory, drillsDirectory } from "../../run/drill/drill-folder.js";
import type { DrillOptions } from "../../run/drill/drill-run.js";
import { readHistory } from "../../run/drill/history.js";
import { type CleanedDrill, cleanLeftovers } from "../../run/drill/leftovers.js";
import { pickDump } from "../../run/drill/pick.js";
import type { DrillTools } from "../../run/drill/tools.js";
import { SILENT } from "../../run/progress.js";
import { systemClock } from "../../support/clock.js";
import { present } from "../../support/present.js";
import { evidenceIn, keepEvidence, makeRoomForEvidence } from "../drill-evidence.js";
import { type DrillRunArguments, drillTools, targetNote } from "../drill-options.js";
import { drillText, historyText, leftText } from "../drill-text.js";
import type { Io } from "../io.js";
import { json, print } from "../output.js";
import { type ProgressKind, progressSink } from "../progress.js";
import { parseDurationMs, usage } from "../quantities.js";
import { parseSelection } from "../selection.js";
import { type StateArguments, stateDirectory, stateOption } from "../state-directory.js";
import { workPlace } from "../work-place.js";

interface DrillArguments extends DrillRunArguments, StateArguments {
  readonly dump?: string;
  readonly pick?: "newest" | "random";
  readonly drillDatabase?: readonly string[];
  readonly assertions?: string;
  readonly maxRto?: string;
  readonly maxRpo?: string;
  readonly trendLast?: string;
  readonly trendPercent?: string;
  readonly out?: string;
  readonly clean?: boolean;
  readonly history?: boolean;
  readonly json?: boolean;
  readonly progress?: ProgressKind;
}

export async function run(args: DrillArguments, io: Io): Promise<number> {
  if (args.history === true) return await showHistory(args, io);
  if (args.clean === true) return await clean(args, io);
  return await runDrill(args, io);
}

async function runDrill(args: DrillArguments, io: Io): Promise<number> {
  const isQuiet = args.progress === "none";
  const say = (text: string) => {
    if (!isQuiet) io.stderr.write(`drill: ${text}\n`);
  };
  const tools = drillTools(args, io);
  const options = await drillOptions(args, { io, tools, say });
  // The drill's own folder is made when it begins.
  if (args.out !== undefined) await makeRoomForEvidence(options.out);
  await endOfKilledDrills(options, say, stateOption(args, io));
  const report = await drillRun(options);
  if (report.error !== undefined) io.supervisor?.failed(report.error);
  const evidence = evidenceIn(options.out);
  const shown = args.json === true ? json(report) : drillText(report);
  await keepEvidence(report, { evidence, ...options, io }).finally(() => print(io.stdout, shown));
  if (args.json !== true)
    await print(io.stdout, `The evidence stands in ${options.out}: drill.html, drill.md, drill.json.\n`);
  if (report.cleanUp.left.length > 0) {
    const where = stateOption(args, io);
    await print(
      io.stderr,
      `error: the drill left things behind\nWhen their servers can be reached: elastickv-restore drill --clean${where}\n`,
    );
  }
  return report.verdict === "interrupted" ? interruptionStatus(io.signal) : report.exitStatus;
}

interface Setting {
  readonly io: Io;
  readonly tools: DrillTools;
  readonly say: (text: string) => void;
}

/** Every mistake on the command line and in the assertions file is found here. @throws RestoreError of the class usage */
async function drillOptions(args: DrillArguments, { io, tools, say }: Setting): Promise<DrillOptions> {
  const { assertions: file, maxRto, maxRpo, pick } = args;
  const target = targetNote(args, io);
  const assertionsPath = file === undefined ? undefined : resolve(io.cwd, file);
  const assertions = assertionsPath === undefined ? [] : await readAssertions(assertionsPath);
  const databases = (args.drillDatabase ?? []).flatMap((text) => text.split(",")).map(databaseNumber);
  const trend = {
    last: wholeNumber(args.trendLast ?? "10", "--trend-last"),
    percent: wholeNumber(args.trendPercent ?? "25", "--trend-percent"),
  };
  const maxRtoMs = maxRto === undefined ? undefined : parseDurationMs(maxRto, "--max-rto");
  const maxRpoMs = maxRpo === undefined ? undefined : parseDurationMs(maxRpo, "--max-rpo");
  const selection = parseSelection(args);
  // Wrong endpoints and limits are told before a dump is looked for.
  await tools.optionsFor(target, { dump: "", servers: [], progress: SILENT });
  if (args.dump === undefined) throw noDump();
  const given = resolve(io.cwd, args.dump);
  const picked = pick === undefined ? undefined : await pickDump(given, pick);
  if (picked !== undefined) say(`the ${picked.how} of ${picked.from.length} dumps under ${given} is ${picked.path}`);
  const state = stateDirectory(args, io);
  const id = randomBytes(6).toString("hex");
  return {
    id,
    job: randomBytes(8).toString("hex"),
    dump: picked?.path ?? given,
    target,
    selection,
    allowOrphanBuckets: args.allowOrphanBuckets ?? false,
    ttlPolicy: args.ttlPolicy ?? "rebase",
    databases,
    assertions,
    trend,
    stateDirectory: state,
    out: args.out === undefined ? drillDirectory(state, id) : resolve(io.cwd, args.out),
    historyPath: join(drillsDirectory(state), "history.jsonl"),
    ...workPlace(io),
    tools,
    clock: systemClock,
    ...present({ picked, assertionsPath, maxRtoMs, maxRpoMs, signal: io.signal, targetName: targetName(args) }),
    progress: () => progressSink(args.progress ?? "auto", io),
    say,
  };
}

function targetName({ target }: DrillArguments): string | undefined {
  return target === "sandbox" ? undefined : target;
}

function noDump(): RestoreError {
  return new RestoreError("USAGE", "drill needs a dump: elastickv-restore drill <dump>", {
    hint: "Name a dump, or with --pick newest a folder of dumps; --history and --clean need none.",
  });
}

function databaseNumber(text: string): number {
  if (!/^(?:0|[1-9]\d{0,8})$/.test(text))
    throw usage("--drill-database", text, "numbers of Redis databases: 9, or 9,10");
  return Number(text);
}

function wholeNumber(text: string, option: string): number {
  if (!/^(?:0|[1-9]\d{0,5})$/.test(text)) throw usage(option, text, "a whole number");
  return Number(text);
}

/** Servers and folders only: what stands on servers that stay is removed by `--clean`, which asks them. */
async function endOfKilledDrills(options: DrillOptions, say: Setting["say"], where: string): Promise<void> {
  const { stateDirectory: directory, tools } = options;
  for (const { id, removed, left } of await cleanLeftovers({ stateDirectory: directory, tools, scopes: false })) {
    if (removed.length > 0) say(`ended what drill ${id} left: ${removed.join(", ")}`);
    if (left.length > 0) say(`drill ${id} left more behind; \`elastickv-restore drill --clean${where}\` removes it`);
  }
}

async function clean(args: DrillArguments, io: Io): Promise<number> {
  const directory = stateDirectory(args, io);
  const cleaned = await cleanLeftovers({ stateDirectory: directory, tools: drillTools(args, io), scopes: true });
  await print(io.stdout, args.json === true ? json(cleaned) : leftText(cleaned));
  return cleaned.some(isUnfinished) ? EXIT.stopped : EXIT.ok;
}

function isUnfinished({ left }: CleanedDrill): boolean {
  return left.length > 0;
}

/** A chain that does not hold is a difference. */
async function showHistory(args: DrillArguments, io: Io): Promise<number> {
  const path = join(drillsDirectory(stateDirectory(args, io)), "history.jsonl");
  const history = await readHistory(path);
  await print(io.stdout, args.json === true ? json(history) : historyText(history, path));
  return history.entries.some(({ problems }) => problems.length > 0) ? EXIT.differences : EXIT.ok;
}
