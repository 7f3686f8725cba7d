/** Requests that a target keeps answering with errors of its own: at fault can be one item, or the target. */
import { RestoreError } from "../../errors/restore-error.js";
import { SERVER_ERROR } from "./classify-error.js";

/** Whether the target answered, in the end, and only that it cannot. */
export function isServerError({ code, reason, cause }: RestoreError): boolean {
  if (code === "CALL_FAILED") return reason === SERVER_ERROR;
  return code === "OUTAGE" && cause instanceof RestoreError && cause.reason === SERVER_ERROR;
}

/** While this request failed others passed, but none does any more. The error itself, where it says so already. */
export function asOutage(error: RestoreError): RestoreError {
  if (error.code === "OUTAGE") return error;
  const { message, where } = error;
  return new RestoreError("OUTAGE", message, {
    where,
    hint: "Bring the target back and take the job up again; --max-retry-time sets how long it waits.",
    retry: "fatal",
    cause: error,
  });
}
