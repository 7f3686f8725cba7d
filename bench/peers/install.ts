/** Peers by their own package managers, each once on a machine, at the versions that stand here. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { installPeerOnce, needCommand, run } from "../../testcontainers/cache.js";

export interface GoProgram {
  readonly name: string;
  readonly module: string;
  readonly version: string;
}

/** The path of a program that is built in a module of its own, which asks the proxy for this version and no list of them. */
export async function installGoProgram({ name, module, version }: GoProgram): Promise<string> {
  const directory = await installPeerOnce(name, version, async (staging) => {
    const go = await needCommand("go");
    await writeFile(join(staging, "go.mod"), `module local\n\nrequire ${module} ${version}\n`);
    const flags = ["-mod=mod", "-trimpath", "-ldflags=-s -w"];
    await run(go, ["build", ...flags, "-o", join(staging, name), module], { cwd: staging });
  });
  return join(directory, name);
}

/** The folder of a Python package and of what it needs, for `PYTHONPATH`. */
export async function installPythonPackage(name: string, version: string): Promise<string> {
  return await installPeerOnce(name, version, async (staging) => {
    // Not a virtual environment: that knows the path of its making, and this one is renamed.
    const python = await needCommand("python3", "python3-pip");
    await run(python, ["-m", "pip", "install", "--quiet", "--target", staging, `${name}==${version}`]);
  });
}

/** The folder of a `node_modules` that holds these packages, `name@version` each. */
export async function installNpmPackages(name: string, version: string, packages: readonly string[]): Promise<string> {
  return await installPeerOnce(name, version, async (staging) => {
    const npm = await needCommand("npm");
    await run(npm, ["install", "--prefix", staging, "--no-audit", "--no-fund", "--ignore-scripts", ...packages]);
  });
}
