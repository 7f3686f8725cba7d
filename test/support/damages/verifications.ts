/** `verify` on the command line, in process, and what it says. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Verification, verificationSchema } from "../../../src/run/verify/report.js";
import { CLI_ENVIRONMENT } from "../four-servers.js";
import { type CliResult, type Meanwhile, runCli } from "../run-cli.js";

/** With the report that it wrote, as its schema has it; none where the comparison did not come to its end. */
export async function runVerify(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = CLI_ENVIRONMENT,
  meanwhile: Meanwhile = {},
): Promise<CliResult & { readonly report: Verification | undefined }> {
  const directory = await mkdtemp(join(tmpdir(), "elastickv-restore-verify-"));
  try {
    const path = join(directory, "comparison.json");
    const quick = argv.includes("--look-again-after") ? [] : ["--look-again-after", "50ms"];
    const quiet = argv.includes("--progress") ? [] : ["--progress", "none"];
    const more = [...quiet, ...quick, "--report", path];
    const result = await runCli(["verify", ...argv, ...more], env, meanwhile);
    const text = await readFile(path, "utf8").catch(() => undefined);
    return { ...result, report: text === undefined ? undefined : verificationSchema.parse(JSON.parse(text)) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** As `runVerify`, where there has to be a report. */
export async function verification(
  argv: readonly string[],
): Promise<Verification & { readonly stdout: string; readonly stderr: string }> {
  const { report, status, stdout, stderr } = await runVerify(argv);
  if (report === undefined) throw new Error(`verify ended with status ${status}: ${stderr}`);
  return { ...report, stdout, stderr };
}
