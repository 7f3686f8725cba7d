/** The daemon's log: JSON lines. Nothing that lets anybody in stands in it. */
import type { Writable } from "node:stream";
import { type Logger, pino } from "pino";

const HIDDEN = "[hidden]";
const SECRET_NAMES = ["authorization", "cookie", "token", "secret", "password", "confirm"];
const REDACTED = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** What stands where a name and password can stand in a URL, and tokens in the midst of a text. */
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^/@\s"\\]+@/gi;
const BEARER = /\b(bearer) +[^\s"\\]+/gi;

export type Log = Logger;

/** `level`: `debug` also tells of what machines ask every few seconds. */
export function createLog(stream: Writable, level = "info"): Log {
  return pino(
    {
      level,
      base: null,
      messageKey: "message",
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: REDACTED, censor: HIDDEN },
      hooks: { streamWrite: hideSecrets },
    },
    stream,
  );
}

function hideSecrets(line: string): string {
  return line.replace(URL_CREDENTIALS, `$1${HIDDEN}@`).replace(BEARER, `$1 ${HIDDEN}`);
}
