import { expect, it } from "vitest";
import { rejectsPathFor } from "../../../src/run/rejects-path.js";

it.each([
  ["report.json", "report.rejects.jsonl"],
  ["/a.json/report", "/a.json/report.rejects.jsonl"],
  ["out/R.JSON", "out/R.rejects.jsonl"],
])("beside %s stands %s", (report, rejects) => {
  expect(rejectsPathFor(report)).toBe(rejects);
});
