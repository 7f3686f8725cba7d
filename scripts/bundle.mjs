/**
 * The command line and everything that it needs as a few files: a thousand modules, found and opened one by one, would be
 * a third of the time of a small restore. A part is loaded when it is needed, as before: that of a protocol with its first
 * target. Names stay as they are, and source maps lie beside the files.
 */
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What an operator may have installed beside us, for drills. */
const OPTIONAL = ["testcontainers", "dynalite", "fauxqs"];

/** What finds its companions beside itself. All files lie in one folder, so there is no other place. */
const ENTRIES = {
  process: "src/cli/process.ts",
  "hash-worker": "src/readers/hash-worker.js",
};
const PAGE = "src/daemon/public";

/** Packages in CommonJS ask for Node's modules in their own way. */
const REQUIRE =
  'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);';

/**
 * Never throws for what the sources hold.
 * @param {string} root the folder of package.json
 * @param {string} folder in it, for the files
 * @returns {Promise<{ status: number, output: string }>}
 */
export async function bundle(root, folder) {
  const { build } = await import("esbuild");
  const outdir = join(root, folder);
  try {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: ENTRIES,
      outdir,
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node20",
      chunkNames: "[name]-[hash]",
      external: [...OPTIONAL, "elastickv-restore/package.json"],
      banner: { js: REQUIRE },
      sourcemap: "linked",
      sourcesContent: false,
      legalComments: "none",
      metafile: true,
      logLevel: "silent",
    });
    // Browsers take it as it is.
    await cp(join(root, PAGE), join(outdir, "public"), { recursive: true, filter: (path) => !path.endsWith(".json") });
    await writeFile(join(outdir, "LICENSES.txt"), await licenses(root, Object.keys(metafile.inputs)));
    return { status: 0, output: "" };
  } catch (error) {
    return { status: 1, output: String(error) };
  }
}

/**
 * The licences of all packages whose code went in: each text once, under the names of those that have it.
 * @param {string} root
 * @param {readonly string[]} inputs paths in `root`
 */
async function licenses(root, inputs) {
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? []));
  /** @type {Map<string, string[]>} */
  const holders = new Map();
  for (const folder of [...folders].sort()) {
    const { name, text } = await licenseOf(join(root, folder));
    holders.set(text, [...(holders.get(text) ?? []), name]);
  }
  const parts = [...holders].map(([text, names]) => `${names.join("\n")}\n\n${text}`);
  return parts.join(`\n${"-".repeat(80)}\n\n`);
}

/** @param {string} folder of an installed package */
async function licenseOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)(\.|-|$)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  return { name: `${name} ${version}`, text: texts.length > 0 ? texts.join("\n") : `License: ${license}\n` };
}
