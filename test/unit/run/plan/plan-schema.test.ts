import { expect, it } from "vitest";
import * as z from "zod";
import { planSchema } from "../../../../src/run/plan/plan-schema.js";
import { plannedScope, planWith } from "../../../support/plans.js";

it("publishes the schema that plans are written by", async () => {
  const schema = `${JSON.stringify(z.toJSONSchema(planSchema), null, 2)}\n`;
  await expect(schema).toMatchFileSnapshot("../../../../docs/plan.schema.json");
});

it("takes a plan as it is, and none with anything more, less or of another version", () => {
  const plan = planWith({ scopes: [plannedScope({ losses: ["its stream"] })] });
  expect(planSchema.parse(JSON.parse(JSON.stringify(plan)))).toEqual(JSON.parse(JSON.stringify(plan)));
  const { totals: _, ...less } = plan;
  for (const other of [{ ...plan, more: 1 }, less, { ...plan, planVersion: 2 }]) {
    expect(planSchema.safeParse(other).success).toBe(false);
  }
});
