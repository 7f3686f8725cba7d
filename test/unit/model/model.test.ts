import { describe, expect, it } from "vitest";
import { displayBytes, escapeControls, escapeForDisplay, printableJson } from "../../../src/model/display.js";
import { OUTCOMES, worstOf } from "../../../src/model/outcome.js";
import { formatPlace } from "../../../src/model/position.js";
import { scopeLabel } from "../../../src/model/scope.js";

describe("text from a dump", () => {
  it.each([
    ["plain", "plain"],
    ["größe 😀", "größe 😀"],
    ["a\nb\t\u001b[31m\u007f", "a\\u{a}b\\u{9}\\u{1b}[31m\\u{7f}"],
    ["\u0085\u009b", "\\u{85}\\u{9b}"],
    ["a\u202eb\u2066c\u200b", "a\\u{202e}b\\u{2066}c\\u{200b}"],
    ["\u2028\u2029\ufeff", "\\u{2028}\\u{2029}\\u{feff}"],
    ["\ud800", "\\u{d800}"],
    ["\u{e0041}", "\\u{e0041}"],
    // The text of an escape is told from an escape.
    ["\\u{a}", "\\\\u{a}"],
  ])("%j is shown as %s", (text, shown) => {
    expect(escapeForDisplay(text)).toBe(shown);
  });

  it("that was escaped before, between line breaks of ours, is not escaped again", () => {
    expect(escapeControls(`${escapeForDisplay("a\\\n")}\nb\r`)).toBe("a\\\\\\u{a}\nb\\u{d}");
  });
});

describe("JSON of ours", () => {
  it("holds no character that steers, and reads back as what was written", () => {
    const value = { "\u202ekey": ["\u0085\u009b\u007f\u2028", "\u{e0041}\n\\", "größe 😀", 1.5, null] };
    const text = printableJson(value, 2);
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(text).toContain("größe 😀");
    expect(JSON.parse(text)).toEqual(value);
  });

  it("keeps the digits of big integers", () => {
    expect(printableJson([2n ** 64n])).toBe('["18446744073709551616"]');
  });
});

describe("a binary-safe key", () => {
  it.each([
    [Buffer.from("käse"), "käse"],
    [Buffer.from([0xff, 0x00, 0x61]), "base64:_wBh"],
    [Buffer.from("\ufffd"), "\ufffd"],
    [Buffer.from([0xed, 0xa0, 0x80]), "base64:7aCA"],
    [Buffer.alloc(0), ""],
    [Buffer.from("a\0b"), "a\\u{0}b"],
  ])("%o is shown as %s", (bytes, shown) => {
    expect(displayBytes(bytes)).toBe(shown);
  });
});

describe("several outcomes in one record count as the worst", () => {
  it.each([
    [["restored", "failed", "ambiguous"], "failed"],
    [["ambiguous", "rejected"], "ambiguous"],
    [["restored", "rejected", "skipped-existing"], "rejected"],
    [["skipped-existing", "restored"], "restored"],
    [["skipped-existing", "skipped-expired"], "skipped-existing"],
    [[], undefined],
  ] as const)("%j: %s", (kinds, worst) => {
    expect(worstOf(kinds)).toBe(worst);
  });

  it.each(OUTCOMES)("%s alone is itself", (kind) => {
    expect(worstOf([kind])).toBe(kind);
  });
});

it("places and scopes are written one way", () => {
  expect(formatPlace({ path: "a/b.json" })).toBe("a/b.json");
  expect(formatPlace({ path: "a/b.jsonl", line: 3 })).toBe("a/b.jsonl:3");
  expect(scopeLabel({ adapter: "sqs", name: "jobs" })).toBe("sqs:jobs");
});
