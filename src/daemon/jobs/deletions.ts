/** What carrying out a plan takes away from its targets. Pure. */
import { scopeLabel } from "../../model/scope.js";
import { mayDelete } from "../../run/plan/may-delete.js";
import type { Plan, PlannedScope } from "../../run/plan/plan-schema.js";

/** A sentence for each scope that loses records or settings; none for a plan that deletes nothing. */
export function deletionsOf({ scopes }: Pick<Plan, "scopes">): string[] {
  return scopes.filter(mayDelete).map((scope) => {
    const name = scopeLabel({ adapter: scope.adapter, name: scope.target });
    return `${name} loses ${held(scope)}${settings(scope)}.`;
  });
}

type Outlined = Pick<PlannedScope, "holds" | "losses" | "presence">;

function held({ presence, holds }: Outlined): string {
  if (holds === undefined || (holds.value === 0 && presence === "holds-records")) {
    return "all it holds, which cannot be counted";
  }
  return `${holds.exact ? "" : "about "}${holds.value} ${holds.value === 1 ? "record" : "records"}`;
}

function settings({ losses = [] }: Outlined): string {
  return losses.length === 0 ? "" : `; and, not brought back: ${losses.join(", ")}`;
}
