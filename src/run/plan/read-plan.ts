/** Reads a plan that was kept. */
import { readFile } from "node:fs/promises";
import * as z from "zod";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import { PLAN_VERSION, type Plan, planSchema } from "./plan-schema.js";

/** A plan with the words that it is run by. */
export type RunnablePlan = Plan & { readonly command: NonNullable<Plan["command"]> };

const HINT = "Name the file that `elastickv-restore plan --out` wrote, or make a new plan.";

/** @throws RestoreError USAGE when the file is no plan that this build can run */
export async function readPlan(path: string): Promise<RunnablePlan> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new RestoreError("USAGE", `the plan ${path} cannot be read: ${messageOf(cause)}`, { hint: HINT, cause });
  });
  const found = parsed(text, path);
  assertVersion(found, path);
  const { data, error } = planSchema.safeParse(found);
  if (error !== undefined) {
    const [issue] = error.issues;
    const where = issue === undefined || issue.path.length === 0 ? "" : ` (at ${issue.path.map(String).join(".")})`;
    throw new RestoreError("USAGE", `${path} is no whole plan${where}`, { hint: HINT, cause: error });
  }
  const { command } = data;
  if (command === undefined) throw new RestoreError("USAGE", `${path} does not say how it is run`, { hint: HINT });
  return { ...data, command };
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RestoreError("USAGE", `${path} is no JSON`, { hint: HINT, cause });
  }
}

function assertVersion(found: unknown, path: string): void {
  const version = z.object({ planVersion: z.unknown() }).safeParse(found).data?.planVersion;
  if (version === PLAN_VERSION) return;
  if (typeof version !== "number") throw new RestoreError("USAGE", `${path} is no plan`, { hint: HINT });
  throw new RestoreError(
    "USAGE",
    `${path} is of plan version ${version}, and this build runs version ${PLAN_VERSION}`,
    {
      hint: "Make a new plan.",
    },
  );
}
