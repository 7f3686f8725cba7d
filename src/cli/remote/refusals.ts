/** What a daemon refuses, as the command line's own errors: the same words, with the exit status that fits. Pure. */
import * as z from "zod";
import { FAULTS } from "../../daemon/fault.js";
import { ERROR_CODES, type ErrorCode } from "../../errors/codes.js";
import { RestoreError } from "../../errors/restore-error.js";
import { present } from "../../support/present.js";

/** Looser than what a daemon of this build sends: what one of another build says is told as well. */
const refusalSchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
    where: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  }),
});

/** Statuses by which what was asked for is wrong, not the moment nor who asks. */
const ASKED_WRONGLY: ReadonlySet<number> = new Set(
  [
    FAULTS.BAD_REQUEST,
    FAULTS.NOT_FOUND,
    FAULTS.METHOD_NOT_ALLOWED,
    FAULTS.NOT_ACCEPTABLE,
    FAULTS.PAYLOAD_TOO_LARGE,
    FAULTS.UNSUPPORTED_MEDIA_TYPE,
    FAULTS.UNPROCESSABLE,
    FAULTS.HEADERS_TOO_LARGE,
  ].map(Number),
);

/** Those that another moment may change. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** `body`: what was answered, parsed; undefined where it is no JSON. `server`: its name for people. */
export function refusal(status: number, body: unknown, server: string): RestoreError {
  const told = refusalSchema.safeParse(body);
  const retry = PASSING.has(status) ? ("yes" as const) : ("no" as const);
  if (!told.success) {
    return new RestoreError("CONNECTION", `what answers at ${server} is no daemon: status ${status}`, {
      hint: "Check the address: it is where `elastickv-restore serve` says that it listens.",
      retry,
    });
  }
  const { code, message, hint, where } = told.data.error;
  return new RestoreError(codeFor(status, code), message, {
    retry,
    ...present({ hint: HINTS[status] ?? hint, where }),
  });
}

/** For whoever types commands, in place of words for those who send requests. */
const HINTS: Readonly<Record<number, string>> = {
  [FAULTS.UNAUTHORIZED]:
    "Give one of the tokens that stand in its settings: --token-file FILE, or ELASTICKV_RESTORE_TOKEN.",
};

function codeFor(status: number, code: string): ErrorCode {
  if (isOurs(code)) return code;
  if (ASKED_WRONGLY.has(status)) return "USAGE";
  return status === FAULTS.CONFLICT ? "JOB_HELD" : "CONNECTION";
}

function isOurs(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}
