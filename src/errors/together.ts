/** Several errors told as one. */
import { messageOf, RestoreError } from "./restore-error.js";

/** One error for several: the first one's code and hint, everybody's message. An unknown one is thrown as it is. */
export function together(errors: readonly unknown[]): unknown {
  const [first] = errors;
  if (errors.length === 1 || !(first instanceof RestoreError)) return first;
  const stranger = errors.find((error) => !(error instanceof RestoreError));
  if (stranger !== undefined) return stranger;
  const hints = new Set(errors.flatMap((error) => (error instanceof RestoreError && error.hint ? [error.hint] : [])));
  return new RestoreError(first.code, errors.map(messageOf).join("\n"), {
    where: first.where,
    retry: first.retry,
    ...(hints.size === 0 ? {} : { hint: [...hints].join("\n") }),
    cause: first,
  });
}
