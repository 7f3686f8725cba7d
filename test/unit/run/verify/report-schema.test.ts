import { expect, it } from "vitest";
import * as z from "zod";
import { verificationSchema } from "../../../../src/run/verify/report.js";

it("is published as it is used", async () => {
  const schema = `${JSON.stringify(z.toJSONSchema(verificationSchema), null, 2)}\n`;
  await expect(schema).toMatchFileSnapshot("../../../../docs/verification.schema.json");
});
