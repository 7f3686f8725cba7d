/** The daemon's log for a person before a terminal: a line each, time and message first. */
import { Writable } from "node:stream";
import { escapeForDisplay } from "../model/display.js";

/** Takes lines of JSON, and writes them so. What is no line of JSON is passed on. */
export function logLines(to: Writable): Writable {
  return new Writable({
    decodeStrings: false,
    write: (chunk: Buffer | string, _encoding, done) => {
      to.write(chunk.toString().replaceAll(/^.+$/gm, (line) => plain(line)));
      done();
    },
  });
}

function plain(line: string): string {
  const entry = parsed(line);
  if (entry === undefined) return line;
  const { time, level, message, ...rest } = entry;
  const grave = level === "info" || level === "debug" ? "" : `${String(level)}: `;
  const more = Object.entries(rest).map(([name, value]) => ` ${name}=${wordOf(value)}`);
  return escapeForDisplay(`${String(time).slice(11, 19)} ${grave}${String(message)}${more.join("")}`);
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === "object" && entry !== null ? (entry as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function wordOf(value: unknown): string {
  return typeof value === "string" && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value);
}
