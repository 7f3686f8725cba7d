/** The demo's stand-ins start, answer and go. What they hold is never what another test asks. */

import { describe, expect, it } from "vitest";

import { dynamoDbLocalRecipe } from "../../testcontainers/dynamodb-local.js";
import { elasticMqRecipe } from "../../testcontainers/elasticmq.js";
import { minioRecipe } from "../../testcontainers/minio.js";
import { startOrStandIn } from "../../testcontainers/stand-in.js";
import { listens } from "../support/listens.js";

describe.each([dynamoDbLocalRecipe, minioRecipe, elasticMqRecipe])("the stand-in of $name", (recipe) => {
  it("answers, says that it is one, and leaves no port behind", async () => {
    const { server, instead } = await startOrStandIn(recipe.name, { preferStandIn: true });
    try {
      expect(server.how).toBe("in-process");
      expect(instead).toBe("it was asked for");
      await recipe.ask(server);
    } finally {
      await server.stop();
    }
    await server.stop();
    expect(await listens(server.endpoint)).toBe(false);
  });
});
