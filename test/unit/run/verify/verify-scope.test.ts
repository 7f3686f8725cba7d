import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DumpRecord } from "../../../../src/model/record.js";
import type { ModeName } from "../../../../src/modes/mode.js";
import type { Comparing, Comparison } from "../../../../src/replayers/verifier.js";
import { Checkpoints } from "../../../../src/run/verify/checkpoint.js";
import { type Found, readFound } from "../../../../src/run/verify/found.js";
import type { VerifiedScope } from "../../../../src/run/verify/report.js";
import type { HowToVerify, ScopeCheck } from "../../../../src/run/verify/scope-check.js";
import { verifyScope } from "../../../../src/run/verify/verify-scope.js";
import { FakeVerifier, type VerifierScript } from "../../../support/fake-verifier.js";
import { runInMemory } from "../../../support/prepared-run.js";
import { faultyRecord, itemRecord, tableScope } from "../../../support/records.js";

const VALUE: Comparison = { differences: [{ kind: "value", at: "total", detail: "another number" }] };
const MISSING: Comparison = { differences: [{ kind: "missing", detail: "it is not there" }] };
const EQUAL: Comparison = { differences: [] };

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "verify-scope-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

interface Trial {
  readonly records?: readonly DumpRecord[];
  readonly script?: VerifierScript;
  readonly how?: Partial<Omit<HowToVerify, "comparing">> & { readonly comparing?: Partial<Comparing> };
  readonly sample?: ScopeCheck["sample"];
  readonly mode?: ModeName;
  readonly takeUp?: boolean;
  readonly signal?: AbortSignal;
}

interface Verdict {
  readonly scope: VerifiedScope;
  readonly found: readonly Found[];
  readonly verifier: FakeVerifier;
  readonly sleeps: readonly number[];
}

async function verdict({ records = items("a", "b", "c"), script, how = {}, ...trial }: Trial): Promise<Verdict> {
  const { run, replayers } = runInMemory({
    scopes: [{ scope: tableScope(), records }],
    ...(trial.mode === undefined ? {} : { mode: trial.mode }),
    ...(trial.signal === undefined ? {} : { signal: trial.signal }),
  });
  const verifier = new FakeVerifier(script);
  Object.assign(replayers.get("dynamodb") ?? {}, { verifier });
  Object.assign(run.options, { workRoot: directory, strategies: { list: "replace", stream: "reject" } });
  const [{ scope } = { scope: tableScope() }] = run.scopes;
  const checkpoints = await Checkpoints.open({
    directory: join(directory, "comparison"),
    fingerprint: "f",
    takeUp: trial.takeUp ?? false,
    startedAt: 1,
    seed: "seed",
    monotonic: () => 0,
  });
  const { comparing, ...rest } = how;
  try {
    const done = await verifyScope({
      run: { ...run, found: [scope] },
      how: {
        looks: 2,
        pauseMs: 1000,
        comparing: { allowMore: false, toleranceMs: 0, download: false, messages: "no", ...comparing },
        ...rest,
      },
      scope,
      number: 0,
      checkpoints,
      ...(trial.sample === undefined ? {} : { sample: trial.sample }),
    });
    await checkpoints.found.flush();
    const found: Found[] = [];
    for await (const each of readFound(checkpoints.found.path)) found.push(each);
    const { sleeps } = run.options.clock as unknown as { sleeps: number[] };
    return { scope: done, found, verifier, sleeps };
  } finally {
    await checkpoints.close();
  }
}

function items(...keys: string[]): DumpRecord[] {
  return keys.map((key, i) => itemRecord(key, { line: i + 1 }));
}

/** The target differs so in one record, for as many looks. */
function differing(key: string, comparison: Comparison, looks = 9): NonNullable<VerifierScript["compare"]> {
  return (record, look) => (record.displayKey === key && look <= looks ? comparison : EQUAL);
}

describe("records", () => {
  it("that are equal are counted, and need one look", async () => {
    const { scope, found, sleeps } = await verdict({});
    expect(scope).toMatchObject({ records: 3, standings: { equal: 3 }, differences: 0, settled: 0 });
    expect(found).toEqual([]);
    expect(sleeps).toEqual([]);
  });

  it("that differ at both looks are told once, with their place and where in them", async () => {
    const { scope, found, sleeps } = await verdict({ script: { compare: differing("b", VALUE) } });
    expect(scope).toMatchObject({ standings: { equal: 2, differing: 1, missing: 0 }, differences: 1 });
    const place = { key: "b", path: "dynamodb/orders/items/data-00.jsonl", line: 2 };
    expect(found).toEqual([
      { adapter: "dynamodb", scope: "orders", target: "orders", ...place, ...VALUE.differences[0] },
    ]);
    expect(sleeps).toEqual([1000]);
  });

  it("that differ at the first look only are no difference", async () => {
    const { scope, found } = await verdict({ script: { compare: differing("b", VALUE, 1) } });
    expect(scope).toMatchObject({ standings: { equal: 3, differing: 0 }, differences: 0, settled: 1 });
    expect(found).toEqual([]);
  });

  it("are asked for again only where they differed", async () => {
    const { verifier } = await verdict({ script: { compare: differing("c", MISSING) } });
    expect(verifier.batches).toEqual([["a", "b"], ["c"], ["c"]]);
  });

  it("that are not there count as missing", async () => {
    const { scope } = await verdict({ script: { compare: differing("a", MISSING) } });
    expect(scope.standings).toMatchObject({ missing: 1, differing: 0, equal: 2 });
  });

  it("of which a part is missing count as differing", async () => {
    const part: Comparison = { differences: [{ kind: "missing-part", at: "total", detail: "not there" }] };
    expect((await verdict({ script: { compare: differing("a", part) } })).scope.standings).toMatchObject({
      differing: 1,
    });
  });

  it("count at once where one look is all", async () => {
    const { scope, sleeps } = await verdict({ how: { looks: 1 }, script: { compare: differing("a", VALUE, 1) } });
    expect(scope.standings).toMatchObject({ differing: 1 });
    expect(sleeps).toEqual([]);
  });

  it("are looked at as often as is asked for", async () => {
    const { scope, sleeps } = await verdict({ how: { looks: 4 }, script: { compare: differing("a", VALUE, 3) } });
    expect(scope).toMatchObject({ standings: { equal: 3 }, settled: 1 });
    expect(sleeps).toEqual([1000, 1000, 1000]);
  });

  it("that expired, and those the target does not tell, are counted apart", async () => {
    const compare = ({ displayKey }: { displayKey: string }): Comparison =>
      displayKey === "a" ? { differences: [], expired: true } : { differences: [], unproven: ["no digest is told"] };
    const { scope, found } = await verdict({ script: { compare } });
    expect(scope).toMatchObject({
      standings: { expired: 1, unproven: 2, equal: 0 },
      unproven: [{ what: "no digest is told", records: 2 }],
    });
    expect(found).toEqual([]);
  });

  it("that cannot be read are counted, and no target is asked for them", async () => {
    const { scope, verifier } = await verdict({ records: [faultyRecord("x"), ...items("a")] });
    expect(scope).toMatchObject({ records: 2, standings: { malformed: 1, equal: 1 } });
    expect(verifier.batches).toEqual([["a"]]);
  });

  it("known not to have been restored are passed over", async () => {
    const except = { has: ({ line }: { line?: number }) => line === 2 };
    const { scope, verifier } = await verdict({ how: { except }, script: { compare: differing("b", MISSING) } });
    expect(scope.standings).toMatchObject({ equal: 2, "not-compared": 1, missing: 0 });
    expect(verifier.batches.flat()).toEqual(["a", "c"]);
  });

  it("go out in batches of bounded bytes, as many at once as the target takes", async () => {
    const records = Array.from({ length: 40 }, (_, i) => itemRecord(`k${i}`, { line: i + 1, bytes: 100 }));
    const compare = async () => {
      await setTimeout(1);
      return EQUAL;
    };
    const { verifier } = await verdict({ records, script: { batch: { records: 100, bytes: 300 }, compare } });
    expect(verifier.batches.every(({ length }) => length <= 3)).toBe(true);
    expect(verifier.batches.flat()).toHaveLength(40);
    expect(verifier.mostAtOnce).toBeGreaterThan(1);
    expect(verifier.mostAtOnce).toBeLessThanOrEqual(2);
  });

  it("of a sample are some, and the same ones by the same seed", async () => {
    const records = Array.from({ length: 400 }, (_, i) => itemRecord(`k${i}`, { line: i + 1 }));
    const sample = { share: 0.25, seed: "s" };
    const [one, other, third] = await Promise.all(
      [sample, sample, { share: 0.25, seed: "t" }].map((each) => verdictIn({ records, sample: each })),
    );
    const asked = one?.verifier.batches.flat() ?? [];
    expect(asked.length).toBeGreaterThan(60);
    expect(asked.length).toBeLessThan(140);
    expect(other?.verifier.batches.flat()).toEqual(asked);
    expect(third?.verifier.batches.flat()).not.toEqual(asked);
    expect(one?.scope).toMatchObject({ records: 400, notListed: "only a sample is compared" });
  });
});

/** With a folder of its own. */
async function verdictIn(trial: Trial): Promise<Verdict> {
  const before = directory;
  directory = mkdtempSync(join(before, "own-"));
  const running = verdict(trial);
  directory = before;
  return await running;
}

describe("records that the dump lacks", () => {
  it("are told when they stand in both listings", async () => {
    const held = (listing: number) => ["a", "b", "c", "more", ...(listing === 1 ? ["passing"] : ["late"])];
    const { scope, found } = await verdict({ script: { held } });
    expect(scope).toMatchObject({ extra: 1, differences: 1, standings: { equal: 3 } });
    expect(found).toMatchObject([{ kind: "extra", key: "more" }]);
  });

  it("count once, however often they are listed", async () => {
    expect((await verdict({ script: { held: () => ["more", "more"] } })).scope.extra).toBe(1);
  });

  it("are none where a record of that key could not be read", async () => {
    const records = [faultyRecord("x", { key: Buffer.from("x") })];
    expect((await verdict({ records, script: { held: () => ["x"] } })).scope.extra).toBe(0);
  });

  it("are not looked for where the target may hold more", async () => {
    const { scope, verifier } = await verdict({
      how: { comparing: { allowMore: true } },
      script: { held: () => ["more"] },
    });
    expect(scope.extra).toBeUndefined();
    expect(scope.notListed).toBe("the target may hold more than the dump");
    expect(verifier.listings).toBe(0);
  });

  it("cannot be known of a target that cannot be listed", async () => {
    expect((await verdict({})).scope).toMatchObject({ notListed: "the fake cannot be listed" });
  });
});

describe("a scope", () => {
  it("that is missing stands for its records", async () => {
    const settings = () => ({ exists: false, differences: [], unproven: [] });
    const { scope, found, verifier } = await verdict({ script: { settings } });
    expect(scope).toMatchObject({ exists: false, standings: { missing: 3 }, differences: 1 });
    expect(found).toMatchObject([{ kind: "scope-missing", path: "dynamodb/orders" }]);
    expect(verifier.batches).toEqual([]);
  });

  it("whose settings differ at the first look only is as the dump has it", async () => {
    const setting = { kind: "setting", at: "index", detail: "it is being made" } as const;
    const settings = (look: number) => ({
      exists: true,
      differences: look === 1 ? [setting] : [],
      unproven: ["owners"],
    });
    const { scope, found } = await verdict({ script: { settings } });
    expect(found).toEqual([]);
    expect(scope.unproven).toEqual([{ what: "owners", records: 0 }]);
  });

  it("whose settings differ is told so", async () => {
    const setting = { kind: "setting", at: "index", detail: "it is missing" } as const;
    const { found } = await verdict({
      script: { settings: () => ({ exists: true, differences: [setting], unproven: [] }) },
    });
    expect(found).toEqual([{ adapter: "dynamodb", scope: "orders", target: "orders", ...setting }]);
  });
});

describe("a scope that is compared whole", () => {
  const missing = { kind: "missing", detail: "it was not received" } as const;

  it("is looked at again, and counts what its last look says", async () => {
    const compareAll: VerifierScript["compareAll"] = async (records, found, look) => {
      const [first] = await all(records());
      if (look === 1 && first !== undefined) await found({ record: first, displayKey: "a", difference: missing });
      return { equal: look === 1 ? 2 : 3, unproven: 0, notes: ["counts are approximate"] };
    };
    const { scope, found } = await verdict({ script: { compareAll } });
    expect(scope).toMatchObject({ records: 3, standings: { equal: 3 }, settled: 1, differences: 0 });
    expect(scope.unproven).toEqual([{ what: "counts are approximate", records: 0 }]);
    expect(found).toEqual([]);
  });

  it("tells what differs at the last look", async () => {
    const compareAll: VerifierScript["compareAll"] = async (records, found) => {
      const [, second] = await all(records());
      if (second !== undefined) await found({ record: second, displayKey: "b", difference: missing });
      await found({ displayKey: "stray", difference: { kind: "extra", detail: "the dump does not hold it" } });
      return { equal: 1, unproven: 1, notes: [] };
    };
    const { scope, found } = await verdict({ script: { compareAll } });
    expect(scope).toMatchObject({ standings: { equal: 1, unproven: 1, missing: 1 }, differences: 2 });
    expect(found).toMatchObject([
      { kind: "missing", key: "b", line: 2 },
      { kind: "extra", key: "stray" },
    ]);
  });

  it("has to add up", async () => {
    const compareAll: VerifierScript["compareAll"] = async () => ({ equal: 2, unproven: 0, notes: [] });
    await expect(verdict({ script: { compareAll } })).rejects.toMatchObject({ code: "INTERNAL" });
  });
});

it("says once why a target cannot be listed", async () => {
  const why = "the fake cannot be listed";
  const settings = () => ({ exists: true, differences: [], unproven: [why, "its tags"] });
  const { scope } = await verdict({ script: { settings } });
  expect(scope.notListed).toBe(why);
  expect(scope.unproven).toEqual([{ what: "its tags", records: 0 }]);
});

describe("a comparison that was stopped", () => {
  it("counts each record once where the scope is gone meanwhile", async () => {
    const stop = new AbortController();
    const records = items(...Array.from({ length: 30 }, (_, i) => `k${i}`));
    const compare = (record: DumpRecord): Comparison => {
      if (record.displayKey === "k20") stop.abort();
      return EQUAL;
    };
    const stopped = verdict({ records, signal: stop.signal, script: { compare } });
    await expect(stopped).rejects.toMatchObject({ code: "INTERRUPTED" });
    const settings = () => ({ exists: false, differences: [], unproven: [] });
    const { scope } = await verdict({ records, takeUp: true, script: { settings } });
    expect(scope).toMatchObject({ exists: false, records: 30, standings: { missing: 30, equal: 0 }, differences: 1 });
  });

  it("goes on behind what was compared, and still knows what differed", async () => {
    const stop = new AbortController();
    const compare = (record: DumpRecord): Comparison => {
      if (record.displayKey === "e") stop.abort();
      return record.displayKey === "a" ? VALUE : EQUAL;
    };
    const records = items(
      "a",
      "b",
      "c",
      "d",
      "e",
      "f",
      "g",
      "h",
      "i",
      "j",
      "k",
      "l",
      "m",
      "n",
      "o",
      "p",
      "q",
      "r",
      "s",
    );
    const stopped = verdict({ records, signal: stop.signal, script: { compare } });
    await expect(stopped).rejects.toMatchObject({ code: "INTERRUPTED" });
    const { scope, found, verifier } = await verdict({
      records,
      takeUp: true,
      script: { compare: differing("a", VALUE) },
    });
    const askedAgain = verifier.batches.slice(0, -1).flat();
    expect(askedAgain).not.toContain("a");
    expect(askedAgain).toContain("s");
    expect(verifier.batches.at(-1)).toEqual(["a"]);
    expect(scope).toMatchObject({ records: 19, standings: { equal: 18, differing: 1 }, differences: 1 });
    expect(found).toMatchObject([{ key: "a" }]);
  });

  it("is not taken up where there is none", async () => {
    await expect(verdict({ takeUp: true })).rejects.toMatchObject({ code: "JOB_UNKNOWN" });
  });
});

async function all<T>(each: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of each) list.push(one);
  return list;
}
