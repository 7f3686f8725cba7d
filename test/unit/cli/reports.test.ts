import { expect, it } from "vitest";
import { listPathOf } from "../../../src/cli/reports.js";

it.each([
  ["report.json", "report.rejects.jsonl"],
  ["/a.json/report", "/a.json/report.rejects.jsonl"],
  ["out/R.JSON", "out/R.rejects.jsonl"],
])("beside the report %s of a restore stands %s", (report, rejects) => {
  expect(listPathOf([report], "restore")).toBe(rejects);
});

it("names the list of differences after the report that is data", () => {
  expect(listPathOf(["page.html", "proof.json"], "comparison")).toBe("proof.differences.jsonl");
});
