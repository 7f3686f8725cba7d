import { expect, it } from "vitest";
import * as z from "zod";
import { reportSchema } from "../../../src/run/report.js";

it("publishes the schema that reports are written by", async () => {
  const schema = `${JSON.stringify(z.toJSONSchema(reportSchema), null, 2)}\n`;
  await expect(schema).toMatchFileSnapshot("../../../docs/report.schema.json");
});
