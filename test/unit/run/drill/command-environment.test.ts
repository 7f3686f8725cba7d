import { describe, expect, it } from "vitest";
import { commandEnvironment } from "../../../../src/run/drill/command-environment.js";

const credentials = { accessKeyId: "id", secretAccessKey: "secret" };
const targets = {
  s3: { endpoint: { url: "http://s3" }, origin: "", region: "eu-1", credentials },
  redis: { url: "redis://r:1", origin: "", access: { password: "pw" } },
};
const scopes = [
  { adapter: "s3", name: "photos", target: "drill-photos" } as const,
  { adapter: "redis", name: "db_0", target: "db_9" } as const,
];

describe("the environment of a command", () => {
  it("names the drill's endpoints, credentials and scopes", () => {
    const env = commandEnvironment({ drill: "d", dump: "/dump", targets, scopes });
    expect(env).toMatchObject({
      AWS_ENDPOINT_URL_S3: "http://s3",
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_REGION: "eu-1",
      ELASTICKV_DRILL_S3_ENDPOINT: "http://s3",
      ELASTICKV_DRILL_S3_SECRET_ACCESS_KEY: "secret",
      REDIS_URL: "redis://r:1",
      REDIS_PASSWORD: "pw",
      REDISCLI_AUTH: "pw",
      ELASTICKV_DRILL_ID: "d",
      ELASTICKV_DRILL_DUMP: "/dump",
    });
    expect(JSON.parse(env["ELASTICKV_DRILL_SCOPES"] ?? "")).toEqual({
      "s3:photos": "drill-photos",
      "redis:db_0": "db_9",
    });
  });

  it("takes away every variable that could lead to another server", () => {
    const env = commandEnvironment({
      drill: "d",
      dump: "/dump",
      targets: { s3: targets.s3 },
      scopes: scopes.slice(0, 1),
    });
    for (const name of [
      "AWS_ENDPOINT_URL",
      "AWS_ENDPOINT_URL_DYNAMODB",
      "AWS_ENDPOINT_URL_SQS",
      "AWS_PROFILE",
      "AWS_SESSION_TOKEN",
      "REDIS_URL",
      "REDIS_PASSWORD",
    ]) {
      expect(Object.hasOwn(env, name)).toBe(true);
      expect(env[name]).toBeUndefined();
    }
  });
});
