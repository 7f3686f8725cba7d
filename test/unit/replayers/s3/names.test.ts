import { describe, expect, it } from "vitest";
import { checkBucketName, KEY_FORMS, keyFault } from "../../../../src/replayers/s3/names.js";
import { bucketScope } from "../../../support/s3-records.js";

describe("a bucket's name", () => {
  it.each(["abc", "my.bucket-1", "0".repeat(63)])("may be %s", (name) => {
    expect(() => checkBucketName(bucketScope(name), "e")).not.toThrow();
  });

  it.each([
    ["UP_CASE", "up-case"],
    ["a..b", "a-b"],
    ["__", "NAME"],
  ])("%s is impossible, and %s is offered", (name, offered) => {
    expect(() => checkBucketName(bucketScope(name), "e")).toThrowError(
      expect.objectContaining({
        code: "TARGET_SCOPE_IMPOSSIBLE",
        hint: `Give the bucket another name: --rename s3:${name}=${offered}`,
      }),
    );
  });

  it("is judged under its new name", () => {
    expect(() => checkBucketName({ ...bucketScope("UP"), target: "down" }, "e")).not.toThrow();
  });
});

describe("a key", () => {
  it.each(["/lead", "a//b", "a/./b", "..", "a__XLDIR__", "x".repeat(256)])("%s stands on S3, not on MinIO", (key) => {
    expect(keyFault(key, "s3")).toBeUndefined();
    expect(keyFault(key, "minio")).toBeDefined();
  });

  it.each(["dir/", "a..b", "...", "ü".repeat(127)])("%s stands on MinIO", (key) => {
    expect(keyFault(key, "minio")).toBeUndefined();
  });

  it("has 1,024 bytes at most, where the server is known", () => {
    expect(keyFault("ab/".repeat(342), "s3")).toMatchObject({ reason: "key-too-long" });
    expect(keyFault("ab/".repeat(342), "unknown")).toBeUndefined();
  });

  it.each(["", "\ud800"])("that no request can name is refused everywhere: %j", (key) => {
    expect(keyFault(key, "unknown")).toMatchObject({ reason: "key-refused" });
  });

  it.each([
    ["/a", 1],
    ["//a//b", 2],
    ["a/../b", 1],
    ["a/.", 1],
    ["a\\b", 1],
    ["a__XLDIR__", 1],
    ["a/b", 0],
    ["a..b/...", 0],
  ])("%s has %i forms that a server may rewrite", (key, forms) => {
    expect(KEY_FORMS.filter(({ pattern }) => pattern.test(key))).toHaveLength(forms);
  });

  it("of each form is tried under a key of that form alone", () => {
    for (const form of KEY_FORMS) {
      const { key, tidied } = form.sample("probe");
      expect(KEY_FORMS.filter(({ pattern }) => pattern.test(key))).toEqual([form]);
      expect(KEY_FORMS.some(({ pattern }) => pattern.test(tidied))).toBe(false);
    }
  });
});
