/** After the restore: what was asserted, and whether the target is what the dump says. */
import { join } from "node:path";
import { interrupted } from "../../errors/interruption.js";
import { listedPath } from "../job/job-file.js";
import { type ConnectedRun, connect, type RunOptions } from "../prepare.js";
import { notRestored } from "../verify/not-restored.js";
import { verifyTarget } from "../verify/verify-target.js";
import type { AssertionPlace, CommandAssertion } from "./assertion-schema.js";
import { checkData, type Finding, needsTarget } from "./check-records.js";
import { commandEnvironment } from "./command-environment.js";
import type { DrillRun } from "./drill-run.js";
import { drillRunOptions } from "./restore.js";
import { secretsOf, withoutSecrets } from "./secrets.js";

/** Milliseconds by which an expiry may differ, and between two looks at what differs. */
const TOLERANCE_MS = 5_000;
const PAUSE_MS = 1_000;
const LOOKS = 3;

/**
 * Counts and records are asked for first: a verification may take messages out of a sandbox's queues. Commands come last,
 * since they may change what is there.
 * @throws RestoreError what ends the drill
 */
export async function prove(run: DrillRun): Promise<void> {
  const { options, facts } = run;
  const { clock, assertions } = options;
  if (facts.restore === undefined) return;
  const given = { ...(await drillRunOptions(run)), rebasedAt: Date.parse(facts.restore.startedAt) };
  const began = clock.monotonic();
  const findings = await lookAtData(run, given);
  for (const [number, finding] of findings) settle(run, number, { finding });
  const dataMs = clock.monotonic() - began;
  await verify(run, given);
  const commandsBegan = clock.monotonic();
  for (const assertion of assertions) {
    if (run.signal.aborted) throw interrupted();
    if (assertion.kind === "command") await runCommand(run, assertion, given);
  }
  if (assertions.length > 0) {
    facts.times.assertionsMs = Math.round(dataMs + clock.monotonic() - commandsBegan);
  }
}

async function lookAtData(run: DrillRun, given: RunOptions): Promise<Map<number, Finding>> {
  const { options, facts } = run;
  const { assertions } = options;
  if (facts.restore === undefined || assertions.every(({ kind }) => kind === "command")) return new Map();
  options.say("checking what was asserted of the data");
  let connected: ConnectedRun | undefined;
  try {
    if (needsTarget(assertions)) {
      connected = await connect({ ...given, progress: options.progress() }, { asWriter: false });
    }
    return await checkData(assertions, facts.restore, connected);
  } finally {
    await connected?.close();
  }
}

interface Settled {
  readonly finding: Finding;
  readonly durationMs?: number;
  readonly output?: string;
}

function settle({ facts }: DrillRun, number: number, { finding, ...more }: Settled): void {
  facts.assertions = facts.assertions.map((assertion, i) =>
    i + 1 !== number
      ? assertion
      : {
          ...assertion,
          outcome: finding === undefined ? "passed" : "failed",
          ...(finding === undefined ? {} : { detail: finding }),
          ...more,
        },
  );
}

async function verify(run: DrillRun, given: RunOptions): Promise<void> {
  const { options, folder, facts } = run;
  const { tools, clock, assertions, target } = options;
  options.say("comparing the target with the dump");
  const began = clock.monotonic();
  const hasCommands = assertions.some(({ kind }) => kind === "command");
  // Commands want to see messages; what is no sandbox may not lose any.
  const inSandbox = hasCommands ? "return" : "consume";
  const isShared = run.servers.some(({ adapter, how }) => adapter === "sqs" && how === "environment");
  const messages = target.kind === "sandbox" && !isShared ? inSandbox : "no";
  const stateDirectory = folder.restoreState;
  const except = await notRestored(listedPath(stateDirectory, options.job), folder.work);
  try {
    facts.verification = await verifyTarget({
      ...given,
      progress: options.progress(),
      how: {
        comparing: { allowMore: false, toleranceMs: TOLERANCE_MS, download: true, messages },
        looks: LOOKS,
        pauseMs: PAUSE_MS,
        except,
      },
      stateDirectory,
      pid: tools.pid,
      isAlive: tools.isAlive,
      takeUp: false,
      differencesPath: join(options.out, "drill.differences.jsonl"),
      signal: run.signal,
    });
  } finally {
    except.close();
    facts.times.verifyMs = Math.round(clock.monotonic() - began);
  }
}

async function runCommand(
  run: DrillRun,
  assertion: CommandAssertion & AssertionPlace,
  { targets }: RunOptions,
): Promise<void> {
  const { options, facts, signal } = run;
  const { clock, tools, id, dump } = options;
  options.say(`running ${assertion.name ?? assertion.run[0] ?? ""}`);
  const scopes = (facts.restore?.scopes ?? []).map(({ adapter, scope: name, target }) => ({ adapter, name, target }));
  const env = commandEnvironment({ drill: id, dump, targets, scopes });
  const began = clock.monotonic();
  const { ended, output } = await tools.runCommand({ argv: assertion.run, env, timeoutMs: assertion.timeout, signal });
  if (signal.aborted) throw interrupted();
  const secrets = secretsOf(targets, tools.env);
  settle(run, assertion.number, {
    finding: ended === 0 ? undefined : typeof ended === "number" ? `it ended with status ${ended}` : ended,
    durationMs: Math.round(clock.monotonic() - began),
    output: withoutSecrets(output, secrets).slice(-OUTPUT_CHARS),
  });
}

const OUTPUT_CHARS = 4_000;
