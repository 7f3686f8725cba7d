/**
 * Profiles of V8 (`--cpu-prof`), one a thread, as a list of the functions that took the most time themselves. Functions
 * are told by where their source stands, when a source map lies beside the file that was run.
 */
import { readdir, readFile } from "node:fs/promises";
import { SourceMap, type SourceMapPayload } from "node:module";
import { basename, join } from "node:path";

const SHOWN = 25;

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** From 0, like the column. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly children?: readonly number[];
    readonly callFrame: CallFrame;
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

export interface SelfTime {
  /** `function file:line`, or V8's own `(garbage collector)`. */
  readonly what: string;
  readonly milliseconds: number;
}

/** Of all profiles in a folder: a heading for each, and its functions with the most time of their own. */
export async function describeProfiles(directory: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { path, profile } of profilesIn(directory)) {
    const times = selfTimes(profile).filter(({ what }) => what !== "(idle)");
    const busy = times.reduce((total, each) => total + each.milliseconds, 0);
    lines.push("", `${path}: ${Math.round(busy)} ms of work`);
    for (const { what, milliseconds } of times.slice(0, SHOWN)) {
      lines.push(
        `${milliseconds.toFixed(0).padStart(7)} ms ${((100 * milliseconds) / busy).toFixed(1).padStart(5)} %  ${what}`,
      );
    }
  }
  return lines;
}

/**
 * Milliseconds in functions of these files and in what they call, of all profiles in a folder. Undefined where none of them
 * was ever seen: then they have other names now, say.
 */
export async function timeWithin(directory: string, files: RegExp): Promise<number | undefined> {
  let found: number | undefined;
  for await (const { profile } of profilesIn(directory)) {
    const within = timeWithinOf(profile, files);
    if (within !== undefined) found = (found ?? 0) + within;
  }
  return found;
}

/** The same of one. */
export function timeWithinOf({ nodes, samples, timeDeltas }: Profile, files: RegExp): number | undefined {
  const within = new Set<number>();
  // A caller stands before what it calls.
  for (const { id, children = [], callFrame } of nodes) {
    if (files.test(callFrame.url)) within.add(id);
    if (within.has(id)) for (const child of children) within.add(child);
  }
  if (within.size === 0) return undefined;
  return samples.reduce((total, id, index) => total + (within.has(id) ? (timeDeltas[index + 1] ?? 0) / 1000 : 0), 0);
}

/** The longest first. */
export function selfTimes({ nodes, samples, timeDeltas }: Profile): SelfTime[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const name = names.get(id) ?? "(unknown)";
    // The time until the next sample passed in this one's function.
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[index + 1] ?? 0) / 1000);
  }
  return [...times]
    .map(([what, milliseconds]) => ({ what, milliseconds }))
    .sort((one, other) => other.milliseconds - one.milliseconds);
}

function nameOf({ functionName, url, lineNumber }: CallFrame): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  return url === "" ? name : `${name} ${basename(url)}:${lineNumber + 1}`;
}

/** One after another, by name. */
async function* profilesIn(directory: string): AsyncGenerator<{ path: string; profile: Profile }> {
  const files = (await readdir(directory)).filter((name) => name.endsWith(".cpuprofile")).sort();
  for (const path of files.map((name) => join(directory, name))) {
    yield { path, profile: await inSources(JSON.parse(await readFile(path, "utf8")) as Profile) };
  }
}

/** The same with the places of functions in their sources, as far as source maps tell them. */
export async function inSources(profile: Profile): Promise<Profile> {
  const maps = new Map<string, SourceMap>();
  for (const url of new Set(profile.nodes.map(({ callFrame }) => callFrame.url))) {
    if (!url.startsWith("file:")) continue;
    const map = await readFile(new URL(`${url}.map`), "utf8").catch(() => undefined);
    if (map !== undefined) maps.set(url, new SourceMap(JSON.parse(map) as SourceMapPayload));
  }
  const nodes = profile.nodes.map((node) => ({
    ...node,
    callFrame: inSource(node.callFrame, maps.get(node.callFrame.url)),
  }));
  return { ...profile, nodes };
}

function inSource(frame: CallFrame, map: SourceMap | undefined): CallFrame {
  const entry = map?.findEntry(frame.lineNumber, frame.columnNumber);
  if (entry === undefined || !("originalSource" in entry)) return frame;
  const { originalSource, originalLine: lineNumber, originalColumn: columnNumber } = entry;
  return { ...frame, url: new URL(originalSource, frame.url).href, lineNumber, columnNumber };
}
