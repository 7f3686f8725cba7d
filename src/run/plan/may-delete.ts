/** Which scopes of a plan somebody is to confirm. */
import type { OutlinedScope } from "./plan-schema.js";

/**
 * Whether emptying the scope may delete anything. A target that cannot count looks empty where it holds none of the
 * dump's own keys, and may hold any others; a table or bucket without records may still have something to lose. What a
 * queue loses beside its messages is settings, which are set and not deleted.
 */
export function mayDelete({ adapter, decision, presence, holds, losses = [] }: Judged): boolean {
  const mayLose = losses.length > 0 && adapter !== "sqs";
  return decision === "empty" && (presence !== "empty" || holds === undefined || mayLose);
}

type Judged = Pick<OutlinedScope, "adapter" | "decision" | "holds" | "losses" | "presence">;
