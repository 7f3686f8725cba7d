/**
 * Corrupt, hostile and odd-but-legal dumps through the command line, into real servers. What is refused leaves no trace
 * on them, what is odd arrives exactly, and a bad record harms no other.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { LegalCase, RecordCase, RefusedCase } from "../support/corpus/case.js";
import { SOUND_FILES } from "../support/corpus/case.js";
import { CHECKSUMS_LEGAL, CHECKSUMS_REFUSED } from "../support/corpus/checksums.js";
import { DYNAMODB_RECORDS } from "../support/corpus/dynamodb-records.js";
import { blemishes, Laboratory } from "../support/corpus/laboratory.js";
import { DUMP_REFUSED, MANIFEST_LEGAL, MANIFEST_REFUSED } from "../support/corpus/manifest.js";
import { NAMES_LEGAL, NAMES_REFUSED } from "../support/corpus/names.js";
import { recordDump } from "../support/corpus/record-dump.js";
import { COLLECTION_RECORDS } from "../support/corpus/redis-collections.js";
import { STREAM_RECORDS } from "../support/corpus/redis-streams.js";
import { S3_RECORDS } from "../support/corpus/s3-records.js";
import { SCOPES_LEGAL } from "../support/corpus/scopes-legal.js";
import { SCOPES_REFUSED } from "../support/corpus/scopes-refused.js";
import { SQS_RECORDS } from "../support/corpus/sqs-records.js";
import { TREE_LEGAL, TREE_REFUSED } from "../support/corpus/tree.js";
import { CLI_ENVIRONMENT, type FourServers, startFourServers } from "../support/four-servers.js";
import type { Difference } from "../support/readback/state.js";
import { runCliWithReport, type WrittenReport } from "../support/run-cli.js";

const MALFORMED_FORM = /^[a-z0-9-]+$/u;

let servers: FourServers;
let laboratory: Laboratory;

beforeAll(async () => {
  servers = await startFourServers();
  laboratory = new Laboratory(servers);
}, 600_000);
afterAll(async () => {
  laboratory?.close();
  await servers?.stop();
});

const REFUSED: Readonly<Record<string, readonly RefusedCase[]>> = {
  "a manifest is refused when": [...MANIFEST_REFUSED, ...DUMP_REFUSED],
  "CHECKSUMS are refused when": CHECKSUMS_REFUSED,
  "a tree is refused when": TREE_REFUSED,
  "names are refused when": NAMES_REFUSED,
  "scopes are refused when": SCOPES_REFUSED,
};

describe.each(Object.entries(REFUSED))("%s", (_, cases) => {
  it.each(cases)("$name", async ({ dump, damage, status = 4, verified, says, options = [] }) => {
    let traces: readonly string[] = [];
    await laboratory.with(dump ?? { files: SOUND_FILES }, damage, async (path) => {
      const [verify, apply] = await Promise.all([laboratory.verify(path), laboratory.apply(path, ...options)]);
      traces = await laboratory.traces();
      expect([verify.status, apply.status], verify.stderr + apply.stderr).toEqual([verified ?? status, status]);
      for (const result of verified === undefined ? [verify, apply] : [apply]) {
        for (const word of says) expect(result.stderr).toContain(word);
        expect(result.stderr.trimEnd().split("\n").length, "it says what next").toBeGreaterThan(1);
        expect(result.stdout).toBe("");
      }
      expect([...blemishes(verify), ...blemishes(apply)]).toEqual([]);
    });
    expect(traces).toEqual([]);
  });
});

const LEGAL: Readonly<Record<string, readonly LegalCase[]>> = {
  "an odd manifest": MANIFEST_LEGAL,
  "odd CHECKSUMS": CHECKSUMS_LEGAL,
  "an odd tree": TREE_LEGAL,
  "odd names": NAMES_LEGAL,
  "odd scopes": SCOPES_LEGAL,
};

describe.each(Object.entries(LEGAL))("%s restores exactly", (_, cases) => {
  it.each(cases)("$name", async ({ dump, damage, warns = [], holds, options = [] }) => {
    await laboratory.with(dump, damage, async (path) => {
      const [verify, apply] = await Promise.all([
        laboratory.verify(path, ...options),
        laboratory.apply(path, ...options),
      ]);
      const differences = await laboratory.differences(holds);
      await laboratory.wipe();
      expect([verify.status, apply.status], verify.stderr + apply.stderr + apply.stdout).toEqual([0, 0]);
      expect(differences).toEqual([]);
      for (const { stdout } of [verify, apply]) for (const word of warns) expect(stdout).toContain(word);
      expect([...blemishes(verify), ...blemishes(apply)]).toEqual([]);
    });
  });
});

const RECORDS: Readonly<Record<string, readonly RecordCase[]>> = {
  "a key": [...COLLECTION_RECORDS, ...STREAM_RECORDS],
  "an item": DYNAMODB_RECORDS,
  "an object": S3_RECORDS,
  "a message": SQS_RECORDS,
};

interface Malformed {
  readonly path: string;
  readonly line?: number;
  readonly reason: string;
}

describe("a dump of records that are malformed, refused or odd", () => {
  const cases = Object.values(RECORDS).flat();
  const { dump, placeOf } = recordDump(cases);
  const place = ({ path, line }: { readonly path: string; readonly line?: number }) =>
    line === undefined ? path : `${path}:${line}`;
  let malformed: ReadonlyMap<string, Malformed>;
  let report: WrittenReport;
  let listed: ReadonlyMap<string, WrittenReport["listed"][number]>;
  let differences: readonly Difference[];
  let blemished: readonly string[];

  beforeAll(async () => {
    await laboratory.with(dump, undefined, async (path) => {
      const [text, verify] = [await laboratory.verify(path), await laboratory.verify(path, "--json")];
      const argv = ["apply", path, ...laboratory.applyOptions];
      const apply = await runCliWithReport(argv, CLI_ENVIRONMENT);
      expect([text.status, verify.status, apply.status], verify.stderr + apply.stderr).toEqual([3, 3, 3]);
      const found = (JSON.parse(verify.stdout) as { readonly malformed: readonly Malformed[] }).malformed;
      malformed = new Map(found.map((record) => [place(record), record]));
      report = apply.report ?? expect.fail("no report");
      listed = new Map(report.listed.map((record) => [place(record), record]));
      blemished = [...blemishes(text), ...blemishes(verify), ...blemishes(apply)];
    });
    differences = await laboratory.differences(cases.flatMap(({ holds = [] }) => holds));
  }, 120_000);
  afterAll(async () => {
    await laboratory?.wipe();
  });

  describe.each(Object.entries(RECORDS))("%s", (_, ofAdapter) => {
    it.each(ofAdapter)("$name", (each) => {
      for (const end of each.ends ?? []) {
        const at = placeOf(each, end);
        const record = listed.get(at);
        expect(record?.outcome, at).toBe(end.outcome);
        if (end.outcome === "restored") expect(record?.notes?.map(({ kind }) => kind)).toContain(end.reason);
        else if (end.reason !== undefined) expect(record?.reason).toBe(end.reason);
        if (end.outcome === "rejected") expect(record?.reason).toMatch(MALFORMED_FORM);
        const byReader = end.outcome === "rejected" && end.by !== "target";
        expect(malformed.get(at)?.reason, `verify lists ${at}`).toBe(byReader ? end.reason : undefined);
      }
      const own = (each.holds ?? []).map((holding) => (holding.in === "sqs" ? `sqs ${holding.queue}` : holding.record));
      expect(differences.filter(({ record }) => own.includes(record))).toEqual([]);
    });
  });

  it("ends no other record otherwise than restored, and leaves nothing else on the servers", () => {
    const foreseen = cases.flatMap((each) => (each.ends ?? []).map((end) => placeOf(each, end)));
    expect([...listed.keys(), ...malformed.keys()].filter((at) => !foreseen.includes(at))).toEqual([]);
    expect(differences).toEqual([]);
  });

  it("is counted whole", () => {
    const sum = Object.values(report.totals).reduce((total, count) => total + count, 0);
    expect(sum).toBe(report.recordsRead);
    expect(report.notReached).toBe(0);
    expect(report.exitStatus).toBe(3);
  });

  it("steers no terminal, and shows no trace", () => {
    expect(blemished).toEqual([]);
  });
});
