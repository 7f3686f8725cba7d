/** What goes wrong, as an answer. */
import { ResponseSerializationError } from "fastify-type-provider-zod";
import { EXIT } from "../../errors/codes.js";
import { RestoreError } from "../../errors/restore-error.js";
import { present } from "../../support/present.js";
import { FAULTS, Fault, type FaultCode } from "../fault.js";
import type { AnsweredCode, FaultAnswer } from "../schema/http.js";

interface Answered {
  readonly status: number;
  readonly body: FaultAnswer;
  /** Whether it is a fault of the daemon's. */
  readonly isOurs: boolean;
}

export function faultAnswer(error: unknown, requestId: string): Answered {
  if (error instanceof Fault) return answered(error.code, error.status, error);
  if (error instanceof RestoreError) return answered(error.code, statusOf(error), error);
  const refused = refusedByServer(error);
  if (refused !== undefined) return answered(refused.code, refused.status, refused);
  return answered("INTERNAL", FAULTS.INTERNAL, { message: "an unexpected error", hint: whereToLook(requestId) });
}

function whereToLook(requestId: string): string {
  return `The daemon's log tells more, under the request id ${requestId}.`;
}

interface Told {
  readonly message: string;
  readonly hint?: string | undefined;
  readonly where?: object | undefined;
}

function answered(code: AnsweredCode, status: number, { message, hint, where }: Told): Answered {
  const place = { ...where } as Record<string, string | number>;
  const told = { code, message, ...present({ hint }), ...(Object.keys(place).length === 0 ? {} : { where: place }) };
  return { status, body: { error: told }, isOurs: status === FAULTS.INTERNAL };
}

/** What was asked for cannot be done, or the daemon's own disk or state is the trouble. */
function statusOf({ exitStatus, code }: RestoreError): number {
  if (code === "INTERNAL") return FAULTS.INTERNAL;
  const isAsked = exitStatus === EXIT.usage || exitStatus === EXIT.dump || exitStatus === EXIT.target;
  return isAsked ? FAULTS.UNPROCESSABLE : FAULTS.UNAVAILABLE;
}

const BY_STATUS = new Map<number, FaultCode>([
  [400, "BAD_REQUEST"],
  [413, "PAYLOAD_TOO_LARGE"],
  [415, "UNSUPPORTED_MEDIA_TYPE"],
]);

const IN_WORDS: Readonly<Record<number, string>> = {
  413: "the body is larger than is taken here",
  415: "the body is no JSON by its content type",
};

/** Errors of the web server itself about a request. */
function refusedByServer(error: unknown): Fault | undefined {
  if (!(error instanceof Error) || error instanceof ResponseSerializationError) return undefined;
  const { statusCode } = error as Error & { readonly statusCode?: unknown };
  if (typeof statusCode !== "number" || statusCode < 400 || statusCode >= 500) return undefined;
  const hint = statusCode === 415 ? { hint: "Send it with the header Content-Type: application/json." } : {};
  const message = IN_WORDS[statusCode] ?? "the request cannot be read";
  return new Fault(BY_STATUS.get(statusCode) ?? "BAD_REQUEST", message, hint);
}
