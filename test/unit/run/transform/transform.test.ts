import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import type { PlainItem, TransformFunction } from "../../../../src/run/transform/plain-records.js";
import { transformRecord } from "../../../../src/run/transform/transform.js";
import { settleTurns } from "../../../support/fake-replayer.js";
import { itemRecord, tableScope } from "../../../support/records.js";
import { detailOf, returning } from "../../../support/transforms.js";

const record = () => ({ ...itemRecord("a"), text: Buffer.from('{"id":{"S":"a"}}') });
const run = async (call: TransformFunction, signal?: AbortSignal) =>
  await transformRecord(record(), {
    scope: tableScope(),
    transform: { name: "t", digest: "d", call },
    ...(signal === undefined ? {} : { signal }),
  });

describe("a transform", () => {
  it("is called once a record, and may take its time", async () => {
    let calls = 0;
    const made = await run(
      returning<PlainItem>(async (given) => {
        calls++;
        await settleTurns(2);
        return { ...given, item: { ...given.item, seen: { BOOL: true } } };
      }),
    );
    expect(made).toMatchObject({ record: { text: Buffer.from('{"id":{"S":"a"},"seen":{"BOOL":true}}') } });
    expect(calls).toBe(1);
  });

  it.each([undefined, null])("that returns %s leaves the record out, with its place", async (nothing) => {
    const { place, after, bytes } = record();
    expect(await run(returning(() => nothing))).toEqual({ kind: "left-out", place, after, displayKey: "a", bytes });
  });

  it.each([false, 0, "", [], () => undefined, new Map(), Promise])("that returns %j has failed", async (value) => {
    expect(await run(returning(() => value))).toMatchObject({ outcome: "rejected", reason: "transform-failed" });
  });

  it.each([
    ["throws", () => Promise.reject(new RangeError("secret value"))],
    [
      "throws at once",
      () => {
        throw new RangeError("secret value");
      },
    ],
  ])("that %s rejects that record, by the error's name and not by its message", async (_how, call) => {
    const made = await run(call);
    expect(made).toMatchObject({ kind: "faulty", outcome: "rejected", reason: "transform-failed" });
    expect(detailOf(made)).toMatch(/the transform threw RangeError/);
    expect(detailOf(made)).not.toContain("secret");
  });

  it("that throws no error, or one of a strange name, is told so", async () => {
    expect(detailOf(await run(() => Promise.reject("secret")))).toBe("the transform threw a string, not an Error");
    const strange = Object.assign(new Error("x"), { name: "secret value" });
    expect(detailOf(await run(() => Promise.reject(strange)))).toMatch(/threw Error( at .*)?$/);
  });

  it("of a module is told by file and line where it threw", async () => {
    const directory = await mkdtemp(join(tmpdir(), "elastickv-restore-transform-"));
    try {
      const path = join(directory, "mask.mjs");
      await writeFile(path, "export default (record) =>\n  record.item.missing.S;\n");
      const { default: call } = (await import(pathToFileURL(path).href)) as { default: TransformFunction };
      expect(detailOf(await run(call))).toMatch(/^the transform threw TypeError at mask\.mjs:2:\d+$/);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it("that never ends does not keep an interruption from ending the run", async () => {
    const abort = new AbortController();
    const running = run(() => new Promise(() => undefined), abort.signal);
    abort.abort();
    await expect(running).rejects.toMatchObject({ code: "INTERRUPTED" });
    await expect(run(() => new Promise(() => undefined), AbortSignal.abort())).rejects.toMatchObject({
      code: "INTERRUPTED",
    });
  });
});
