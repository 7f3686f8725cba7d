/**
 * The command line as it is published, built once for all tests of a run that start it as a process. In the checkout, since
 * it finds what is installed, and the package's own description, from where it lies.
 */
import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import { root } from "../../scripts/bootstrap.mjs";
import { bundle } from "../../scripts/bundle.mjs";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder of the built command line. */
    readonly builtCommand: string;
  }
}

const made: string[] = [];

/** For vitest: before the tests of a project. */
export async function setup(project: TestProject): Promise<void> {
  const folder = join(".cache", `command-${randomUUID()}`);
  made.push(join(root, folder));
  const { status, output } = await bundle(root, folder);
  if (status !== 0) throw new Error(`the command line could not be built: ${output}`);
  project.provide("builtCommand", join(root, folder));
}

/** For vitest: behind them. */
export async function teardown(): Promise<void> {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
}

/** Writes a program into a folder that runs the built command line with its own arguments. Its path. */
export async function commandIn(folder: string): Promise<string> {
  const program = join(folder, "main.mjs");
  const built = pathToFileURL(join(inject("builtCommand"), "process.js"));
  await writeFile(program, `import { runProcess } from ${JSON.stringify(built.href)}; await runProcess();`);
  return program;
}
