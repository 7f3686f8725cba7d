import { describe, expect, it } from "vitest";
import { fingerprintOf, UploadNotes } from "../../../../src/replayers/s3/upload-notes.js";
import { MemoryNotebook } from "../../../support/memory-notebook.js";
import { bucketScope } from "../../../support/s3-records.js";

const scope = bucketScope("bucket");

function clockFrom(start: number) {
  let at = start;
  return { now: () => at++, monotonic: () => 0, sleep: () => Promise.resolve() };
}

function notesOf(notebook: MemoryNotebook, start = 1_000): UploadNotes {
  return new UploadNotes(notebook, clockFrom(start));
}

describe("notes of uploads", () => {
  it.each(["a", "a b&c=d+%/?", "ü ファイル\n\u0000", "=", ""])("come back as they were: %j", async (key) => {
    const notebook = new MemoryNotebook();
    const notes = notesOf(notebook);
    const announced = await notes.announce(scope, { key, what: "w" }, ["x&y", "z/="]);
    await notes.identify(scope, announced, { uploadId: "id+/=", isAlone: false });
    const expected = {
      name: announced.name,
      key,
      what: "w",
      notedAt: 1_000,
      uploadId: "id+/=",
      before: ["x&y", "z/="],
      requests: 1,
    };
    expect(notesOf(notebook).idle(scope, key)).toEqual([expected]);
  });

  it("tell how many requests may have made an upload, also once its id is known", async () => {
    const notebook = new MemoryNotebook();
    const notes = notesOf(notebook);
    const once = await notes.announce(scope, { key: "a", what: "w" }, ["x"]);
    const thrice = await notes.announceAgain(scope, once, 3);
    expect(notesOf(notebook).idle(scope)).toEqual([thrice]);
    await notes.identify(scope, thrice, { uploadId: "id", isAlone: false });
    expect(notesOf(notebook).idle(scope)).toEqual([{ ...thrice, uploadId: "id" }]);
    expect(thrice.requests).toBe(3);
  });

  it("tell an empty answer from no answer", async () => {
    const notebook = new MemoryNotebook();
    await notesOf(notebook).announce(scope, { key: "a", what: "w" }, []);
    await notesOf(notebook, 2_000).announce(scope, { key: "a", what: "w" }, undefined);
    const found = notesOf(notebook).idle(scope, "a");
    expect(found.map(({ before }) => before)).toEqual([undefined, []]);
  });

  it("forget the uploads that were there before once ours is known", async () => {
    const notebook = new MemoryNotebook();
    const notes = notesOf(notebook);
    const announced = await notes.announce(scope, { key: "a", what: "w" }, ["x"]);
    await notes.identify(scope, announced, { uploadId: "id", isAlone: true });
    expect(notesOf(notebook).idle(scope)[0]).not.toHaveProperty("before");
  });

  it("stay short where very many uploads are pending", async () => {
    const notebook = new MemoryNotebook();
    const ids = Array.from({ length: 101 }, (_, i) => `id-${i}`);
    await notesOf(notebook).announce(scope, { key: "a", what: "w" }, ids);
    expect(notesOf(notebook).idle(scope)[0]).not.toHaveProperty("before");
  });

  it("are idle for another process alone, and of the key that was asked for", async () => {
    const notebook = new MemoryNotebook();
    const notes = notesOf(notebook);
    const announced = await notes.announce(scope, { key: "a", what: "w" }, undefined);
    await notes.announce(bucketScope("other"), { key: "a", what: "w" }, undefined);
    expect(notes.idle(scope)).toEqual([]);
    expect(notesOf(notebook).idle(scope, "a")).toHaveLength(1);
    expect(notesOf(notebook).idle(scope, "b")).toEqual([]);
    await notes.remove(scope, announced);
    expect(notesOf(notebook).idle(scope)).toEqual([]);
  });
});

describe("what an upload is made of", () => {
  const made = { sha256: "00", size: 1, partBytes: 5, headers: { a: "1", b: "2" } };

  it("has one digest, in whatever order its headers stand", () =>
    expect(fingerprintOf({ ...made, headers: { b: "2", a: "1" } })).toBe(fingerprintOf(made)));

  it.each([{ sha256: "01" }, { size: 2 }, { partBytes: 6 }, { headers: { a: "1", b: "3" } }, { headers: { a: "1" } }])(
    "has another digest with %j",
    (other) => expect(fingerprintOf({ ...made, ...other })).not.toBe(fingerprintOf(made)),
  );
});
