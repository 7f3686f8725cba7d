/** Packs the build as npm would publish it, and looks at it: which files it holds, and whether it can be imported. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { run, runTool } from "./bootstrap.mjs";

/** What a published file may be called. */
const ALLOWED =
  /^(package\.json|README\.md|CHANGELOG\.md|GLOSSARY\.md|LICENSE|bin\/elastickv-restore\.js|docs\/.+\.(md|json|png)|packaging\/.+\.service|dist\/.+\.(js|js\.map)|dist\/src\/.+\.d\.ts|dist\/cli\/(LICENSES\.txt|public\/.+\.(html|css)))$/;
const NEEDED = [
  "LICENSE",
  "README.md",
  "bin/elastickv-restore.js",
  "dist/src/index.js",
  "dist/src/index.d.ts",
  "dist/cli/process.js",
  "dist/cli/hash-worker.js",
  "dist/cli/LICENSES.txt",
  "dist/cli/public/index.html",
];

const folder = await mkdtemp(join(tmpdir(), "elastickv-restore-package-"));
try {
  const problems = await check();
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** @returns {Promise<string[]>} */
async function check() {
  const packed = await run("npm", ["pack", "--ignore-scripts", "--json", "--silent", "--pack-destination", folder], {
    keep: true,
  });
  if (packed.status !== 0) return [packed.output];
  const [{ filename, files }] = JSON.parse(packed.output);
  const archive = join(folder, filename);
  const paths = files.map((/** @type {{ path: string }} */ file) => file.path);
  const tools = [
    await runTool("publint", ["run", archive, "--strict"], { keep: true }),
    await runTool("attw", [archive, "--profile", "esm-only", "--no-emoji", "--no-color"], { keep: true }),
  ];
  return [
    ...paths
      .filter((/** @type {string} */ path) => !ALLOWED.test(path))
      .map((/** @type {string} */ path) => `does not belong into the package: ${path}`),
    ...NEEDED.filter((path) => !paths.includes(path)).map((path) => `missing in the package: ${path}`),
    ...tools.filter(({ status }) => status !== 0).map(({ output }) => output),
  ];
}
