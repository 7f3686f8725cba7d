/** What carrying out a plan takes away from its targets. Pure. */
import { scopeLabel } from "../../model/scope.js";
import type { Plan, PlannedScope } from "../../run/plan/plan-schema.js";

/** A sentence for each scope that loses records or settings; none for a plan that deletes nothing. */
export function deletionsOf({ scopes }: Pick<Plan, "scopes">): string[] {
  return scopes.filter(loses).map((scope) => {
    const name = scopeLabel({ adapter: scope.adapter, name: scope.target });
    return `${name} loses ${held(scope)}${settings(scope)}.`;
  });
}

type Outlined = Pick<PlannedScope, "adapter" | "decision" | "holds" | "losses" | "presence" | "target">;

/** Just where `apply` would ask. */
function loses({ adapter, decision, presence, holds, losses = [] }: Outlined): boolean {
  const mayLose = losses.length > 0 && adapter !== "sqs";
  return decision === "empty" && (presence !== "empty" || holds === undefined || mayLose);
}

function held({ presence, holds }: Outlined): string {
  if (holds === undefined || (holds.value === 0 && presence === "holds-records")) {
    return "all it holds, which cannot be counted";
  }
  return `${holds.exact ? "" : "about "}${holds.value} ${holds.value === 1 ? "record" : "records"}`;
}

function settings({ losses = [] }: Outlined): string {
  return losses.length === 0 ? "" : `; and, not brought back: ${losses.join(", ")}`;
}
