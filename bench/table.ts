/** Measurements as a Markdown table, a row for each contestant. */

import { MEBIBYTE } from "./limit.js";
import type { Goal, Measurement, Standing } from "./scenario.js";

export const TABLE_HEAD = [
  "| scenario | who | time | CPU | peak | goal | result |",
  "| --- | --- | --- | --- | --- | --- | --- |",
].join("\n");

export function rowsOf(measured: Measurement): string[] {
  const { scenario, title, size, dumpBytes, server, standings, skipped } = measured;
  const where = server === "" ? "" : `, ${server}`;
  const what = `**${scenario}** ${title}: ${size.toLocaleString("en")} (${megabytes(dumpBytes)}${where})`;
  if (skipped !== undefined) return [row([what, "", "", "", "", "", `skipped: ${inCell(skipped)}`])];
  if (standings.length === 0) return [row([what, "", "", "", "", "", "FAULTS"])];
  return standings.map((standing, index) =>
    rowOf(standing, { what: index === 0 ? what : "", measured, isFirst: index === 0 }),
  );
}

interface Place {
  readonly what: string;
  readonly measured: Measurement;
  readonly isFirst: boolean;
}

function rowOf({ name, median, skipped }: Standing, { what, measured, isFirst }: Place): string {
  const figures =
    median === undefined
      ? ["", "", ""]
      : [seconds(median.seconds), seconds(median.cpuSeconds), `${Math.ceil(median.peakBytes / MEBIBYTE)} MiB`];
  const goals = isFirst ? measured.goals.map(describeGoal).join("; ") : "";
  const whole = measured.faults.length === 0 ? "whole" : "FAULTS";
  return row([
    what,
    name,
    ...figures,
    goals,
    skipped === undefined ? (isFirst ? whole : "") : `skipped: ${inCell(skipped)}`,
  ]);
}

export function describeGoal({ what, value, atMost, unit = "×" }: Goal): string {
  const told = value === undefined ? "not measured" : `${value.toFixed(2)} ${unit}`;
  if (atMost === undefined) return `${what}: ${told}`;
  if (value === undefined) return `${what}: ${told} (at most ${atMost} ${unit})`;
  return `${what}: ${told}, at most ${atMost}: ${value <= atMost ? "met" : "MISSED"}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function inCell(text: string): string {
  return (text.split("\n")[0] ?? "").replaceAll("|", "\\|");
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6).toLocaleString("en")} MB`;
}
