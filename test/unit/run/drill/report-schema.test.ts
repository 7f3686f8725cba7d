import { expect, it } from "vitest";
import * as z from "zod";
import { drillReportSchema } from "../../../../src/run/drill/report.js";

it("publishes the schema that drills' reports are written by", async () => {
  const schema = `${JSON.stringify(z.toJSONSchema(drillReportSchema), null, 2)}\n`;
  await expect(schema).toMatchFileSnapshot("../../../../docs/drill-report.schema.json");
});
