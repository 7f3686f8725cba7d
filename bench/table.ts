/** Measurements as rows of a Markdown table. */
import type { Measurement } from "./scenario.js";

const MEBIBYTE = 1_048_576;

export const TABLE_HEAD = [
  "| scenario | what | size | dump | peak | limit | time | server | result |",
  "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
].join("\n");

export function rowOf(measured: Measurement): string {
  const { scenario, title, size, dumpBytes, peakBytes, limitBytes, seconds, server, faults } = measured;
  const cells = [
    scenario,
    title,
    size.toLocaleString("en"),
    `${Math.round(dumpBytes / 1e6).toLocaleString("en")} MB`,
    `${Math.ceil(peakBytes / MEBIBYTE)} MiB`,
    `${Math.floor(limitBytes / MEBIBYTE)} MiB`,
    `${Math.round(seconds)} s`,
    server,
    faults.length === 0 ? "whole" : "FAULTS",
  ];
  return `| ${cells.join(" | ")} |`;
}
