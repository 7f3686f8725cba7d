import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { drillTools, targetNote } from "../../../src/cli/drill-options.js";
import type { Io } from "../../../src/cli/io.js";
import type { SandboxServer } from "../../../src/run/drill/tools.js";
import { SILENT } from "../../../src/run/progress.js";

const io: Io = {
  env: {
    AWS_ENDPOINT_URL_S3: "http://production",
    REDIS_URL: "redis://production",
    ELASTICKV_RESTORE_TARGET: "production",
    AWS_ACCESS_KEY_ID: "theirs",
    AWS_SECRET_ACCESS_KEY: "secret",
  },
  ...{ stdout: new PassThrough(), stderr: new PassThrough(), pid: 1, isAlive: () => true, cwd: "/work-folder" },
};

describe("where a drill restores to", () => {
  it("is a sandbox unless the command line names something else", () => {
    expect(targetNote({}, io)).toEqual({ kind: "sandbox" });
    expect(targetNote({ target: "sandbox" }, io)).toEqual({ kind: "sandbox" });
    expect(targetNote({ target: "staging", config: "c.yaml" }, io)).toEqual({
      kind: "named",
      options: { target: "staging", config: "/work-folder/c.yaml" },
    });
    expect(targetNote({ redisUrl: "redis://h:1" }, io)).toEqual({
      kind: "named",
      options: { redisUrl: "redis://h:1" },
    });
  });

  it("is never both", () => {
    expect(() => targetNote({ target: "sandbox", s3Endpoint: "http://h" }, io)).toThrow(
      /--s3-endpoint speaks of others/,
    );
  });

  it("is no server that only the environment names", async () => {
    const init = { dump: "/dump", servers: [], progress: SILENT };
    const named = { kind: "named", options: { dynamodbEndpoint: "http://staging" } } as const;
    const { targets } = await drillTools({}, io).optionsFor(named, init);
    expect(Object.keys(targets)).toEqual(["dynamodb"]);
    expect(targets.dynamodb).toMatchObject({ credentials: { accessKeyId: "theirs" } });
    expect((await drillTools({}, io).optionsFor({ kind: "sandbox" }, init)).targets).toEqual({});
  });

  it("takes a sandbox's own credentials, not the operator's", async () => {
    const server: SandboxServer = {
      adapter: "s3",
      server: "minio",
      endpoint: "http://127.0.0.1:1",
      how: "native",
      credentials: { accessKeyId: "local", secretAccessKey: "localsecret" },
      stop: () => Promise.resolve(),
    };
    const init = { dump: "/dump", servers: [server], progress: SILENT };
    const { targets } = await drillTools({}, io).optionsFor({ kind: "sandbox" }, init);
    expect(targets.s3).toMatchObject({ credentials: server.credentials, origin: "sandbox" });
  });
});
