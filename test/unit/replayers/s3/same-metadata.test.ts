import { describe, expect, it } from "vitest";
import { metadataDifferences, sameMetadata, untoldMetadata } from "../../../../src/replayers/s3/same-metadata.js";

const metadata = { contentType: "text/plain", user: [["K", "ü"]] } as const;
const answered = { "content-type": "text/plain", "x-amz-meta-k": "ü" };

describe("the same metadata", () => {
  it("is found whichever way the target writes text", () => {
    expect(sameMetadata(metadata, answered)).toBe(true);
    expect(sameMetadata(metadata, { ...answered, "x-amz-meta-k": "=?UTF-8?q?=C3=BC?=" })).toBe(true);
  });

  it("takes a server's default for no content type", () => {
    expect(sameMetadata({ user: [] }, { "content-type": "binary/octet-stream" })).toBe(true);
    expect(sameMetadata({ user: [] }, { "content-type": "text/plain" })).toBe(false);
  });
});

describe("other metadata", () => {
  it.each([
    [{ "content-type": "text/plain" }, "missing-part", "metadata K"],
    [{ ...answered, "content-type": "text/html" }, "metadata", "header content-type"],
    [{ "x-amz-meta-k": "ü" }, "missing-part", "header content-type"],
    [{ ...answered, "x-amz-meta-k": "u" }, "metadata", "metadata K"],
    [{ ...answered, "x-amz-meta-more": "" }, "extra-part", "metadata more"],
    [{ ...answered, "cache-control": "no-store" }, "extra-part", "header cache-control"],
    [{ ...answered, "content-language": "de" }, "extra-part", "header content-language"],
    [{ ...answered, expires: "Thu, 01 Jan 1970 00:00:00 GMT" }, "extra-part", "header expires"],
  ])("%j is found with its place", (headers, kind, at) => {
    expect(metadataDifferences(metadata, headers)).toEqual([{ kind, at, detail: expect.any(String) }]);
    expect(sameMetadata(metadata, headers)).toBe(false);
  });

  it("is a default content type where the dump has another", () => {
    expect(metadataDifferences(metadata, { ...answered, "content-type": "binary/octet-stream" })).toMatchObject([
      { kind: "metadata", at: "header content-type" },
    ]);
  });

  it("is one name where the dump has two that differ by case", () => {
    const user = [
      ["K", "1"],
      ["k", "1"],
    ] as const;
    expect(metadataDifferences({ user }, { "x-amz-meta-k": "1" })).toMatchObject([
      { kind: "missing-part", at: "metadata k" },
    ]);
  });

  it("tells no value, and its names steer no terminal", () => {
    const user = [["a\u001b[2J", "secret"]] as const;
    const [difference] = metadataDifferences({ user }, { "x-amz-meta-a\u001b[2j": "other" });
    expect(difference?.at).toBe("metadata a\\u{1b}[2J");
    expect(JSON.stringify(difference)).not.toMatch(/secret|other"/);
  });
});

it("metadata that the target cannot tell are counted", () => {
  expect(untoldMetadata({})).toBe(0);
  expect(untoldMetadata({ "x-amz-missing-meta": "2" })).toBe(2);
});
