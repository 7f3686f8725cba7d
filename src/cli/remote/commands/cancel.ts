/** `cancel --server`: has a daemon let go of a job, and waits until it has. */
import { RestoreError } from "../../../errors/restore-error.js";
import type { Io } from "../../io.js";
import { assertNothingBeside } from "../giveable.js";
import { type OrderArguments, orderUntil } from "../orders.js";
import { openSession, type SessionArguments } from "../session.js";

interface CancelArguments extends SessionArguments, OrderArguments {
  readonly server: string;
  readonly forget?: boolean;
}

export async function run(args: CancelArguments, io: Io): Promise<number> {
  if (args.forget === true) {
    throw new RestoreError("USAGE", "--forget cannot be given for a job of a daemon", {
      hint: "The daemon reaches the targets, and forgets what it cannot remove after a minute; it says what may stay.",
    });
  }
  assertNothingBeside("cancel", args);
  return await orderUntil(await openSession(args, io), args, { order: "cancel", state: "cancelled" });
}
