import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveTargets, type TargetArguments } from "../../../src/cli/targets.js";
import { RestoreError } from "../../../src/errors/restore-error.js";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "elastickv-restore-config-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function resolve(args: TargetArguments, env: Record<string, string> = {}) {
  return await resolveTargets(args, {
    env,
    pid: 1,
    isAlive: () => false,
    cwd: "/",
    stdout: new PassThrough(),
    stderr: new PassThrough(),
  });
}

async function settings(args: TargetArguments, env: Record<string, string> = {}) {
  return (await resolve(args, env)).settings;
}

async function fault(args: TargetArguments, env: Record<string, string> = {}): Promise<RestoreError> {
  const error: unknown = await resolve(args, env).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RestoreError)) throw new Error(`no RestoreError but ${String(error)}`);
  return error;
}

async function config(text: string): Promise<string> {
  const path = join(directory, "config.yaml");
  await writeFile(path, text);
  return path;
}

const CONFIG = `
targets:
  staging:
    dynamodb: { endpoint: "http://staging:8000", region: eu-west-1, profile: stage }
    s3: { endpoint: aws }
    redis: { url: "redis://staging:6379", username: app, password_env: STAGING_PASSWORD }
    rate_limit: 100ops/s
    concurrency: 4
  production:
    sqs: { endpoint: "https://sqs.example" }
`;

describe("an endpoint", () => {
  it("comes from the option, then the named target, then the environment, and says from where", async () => {
    const env = {
      AWS_ENDPOINT_URL_DYNAMODB: "http://env:1",
      AWS_ENDPOINT_URL_SQS: "http://env:2",
      STAGING_PASSWORD: "p",
    };
    const path = await config(CONFIG);
    const found = await settings({ dynamodbEndpoint: "http://flag:3", target: "staging", config: path }, env);
    expect(found.dynamodb).toMatchObject({ endpoint: { url: "http://flag:3" }, origin: "--dynamodb-endpoint" });
    expect(found.s3).toMatchObject({ endpoint: { aws: true }, origin: 'target "staging"' });
    expect(found.sqs).toMatchObject({ endpoint: { url: "http://env:2" }, origin: "AWS_ENDPOINT_URL_SQS" });
  });

  it("is none where nothing names one: ambient AWS settings are not enough", async () => {
    const env = { AWS_PROFILE: "prod", AWS_REGION: "eu-west-1", AWS_ENDPOINT_URL: "http://all:1", REDIS_PASSWORD: "p" };
    expect(await settings({}, env)).toEqual({});
  });

  it("may be aws in an option and in a named target, never in the environment", async () => {
    expect((await settings({ s3Endpoint: "aws" })).s3?.endpoint).toEqual({ aws: true });
    for (const name of ["DYNAMODB", "S3", "SQS"]) {
      const variable = `AWS_ENDPOINT_URL_${name}`;
      expect(await fault({}, { [variable]: "aws" })).toMatchObject({
        code: "USAGE",
        message: `${variable} does not take "aws"`,
      });
    }
  });

  it.each([
    "https://s3.eu-central-1.amazonaws.com",
    "https://dynamodb.cn-north-1.amazonaws.com.cn",
    "https://s3.dualstack.eu-west-1.api.aws/",
    "https://SQS.eu-west-1.AMAZONAWS.com",
  ])("is not AWS by its URL: %s", async (url) => {
    for (const refused of [await fault({ s3Endpoint: url }), await fault({}, { AWS_ENDPOINT_URL_S3: url })]) {
      expect(refused).toMatchObject({ code: "USAGE", hint: expect.stringContaining("`aws`") });
    }
  });

  it("may be AWS in a private network by its URL, but not in the environment", async () => {
    const url = "https://vpce-1-a.dynamodb.eu-west-1.vpce.amazonaws.com";
    expect((await settings({ dynamodbEndpoint: url })).dynamodb?.endpoint).toEqual({ url });
    expect(await fault({}, { AWS_ENDPOINT_URL_DYNAMODB: url })).toMatchObject({ code: "USAGE" });
    const alike = "https://amazonaws.com.example";
    expect((await settings({ dynamodbEndpoint: alike })).dynamodb?.endpoint).toEqual({ url: alike });
  });

  it.each(["", "localhost:8000", "ftp://host", "AWS", "http://", "redis://host"])("cannot be %j", async (url) => {
    expect(await fault({ s3Endpoint: url })).toMatchObject({ code: "USAGE" });
  });

  it("that is empty in the environment is none", async () => {
    expect(await settings({}, { AWS_ENDPOINT_URL_S3: "", REDIS_URL: "", ELASTICKV_RESTORE_TARGET: "" })).toEqual({});
  });
});

describe("credentials", () => {
  const keys = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "key", AWS_SESSION_TOKEN: "token" };

  it("are the adapter's profile, then the general one, then the environment's keys", async () => {
    const args = { dynamodbEndpoint: "http://a", s3Endpoint: "http://b", dynamodbProfile: "own" };
    const withProfile = await settings(args, { ...keys, AWS_PROFILE: "general" });
    expect(withProfile.dynamodb).toMatchObject({ profile: "own" });
    expect(withProfile.s3).toMatchObject({ profile: "general" });
    expect(withProfile.s3).not.toHaveProperty("credentials");
    const withKeys = await settings(args, keys);
    expect(withKeys.dynamodb).not.toHaveProperty("credentials");
    expect(withKeys.s3).toMatchObject({
      credentials: { accessKeyId: "id", secretAccessKey: "key", sessionToken: "token" },
    });
  });

  it("and the region of an option come before the environment's", async () => {
    const env = { AWS_REGION: "env-1", AWS_DEFAULT_REGION: "env-2" };
    expect((await settings({ s3Endpoint: "http://b", region: "flag-1" }, env)).s3?.region).toBe("flag-1");
    expect((await settings({ s3Endpoint: "http://b" }, env)).s3?.region).toBe("env-1");
    expect((await settings({ s3Endpoint: "http://b" }, { AWS_DEFAULT_REGION: "env-2" })).s3?.region).toBe("env-2");
    expect((await settings({ s3Endpoint: "http://b" })).s3).not.toHaveProperty("region");
  });

  it.each(["http://user:s3cret@host", "http://s3cret@host:1"])(
    "in an endpoint's URL are refused and not repeated: %s",
    async (url) => {
      const error = await fault({ dynamodbEndpoint: url });
      expect(error.code).toBe("SECRET_ON_COMMAND_LINE");
      expect(`${error.message} ${error.hint}`).not.toContain("s3cret");
    },
  );
});

describe("a Redis URL", () => {
  it("gives its database number apart", async () => {
    expect((await settings({ redisUrl: "redis://h:1/3" })).redis).toMatchObject({ database: 3, origin: "--redis-url" });
    expect((await settings({ redisUrl: "redis://h:1/3" })).redis?.url).not.toMatch(/\/3/);
    expect((await settings({ redisUrl: "redis://h:1/0" })).redis).toMatchObject({ database: 0 });
    expect((await settings({ redisUrl: "redis://h:1/" })).redis).not.toHaveProperty("database");
    expect((await settings({ redisUrl: "unix:///tmp/3" })).redis).toEqual({
      url: "unix:///tmp/3",
      origin: "--redis-url",
    });
  });

  it("takes its password from the environment, from REDIS_PASSWORD or from a named target's variable or file", async () => {
    const given = async (args: Parameters<typeof settings>[0], env = {}) => (await settings(args, env)).redis?.access;
    expect((await settings({}, { REDIS_URL: "redis://:p%40w@h" })).redis?.url).toBe("redis://:p%40w@h");
    const secret = "p@:/%#?w ü";
    expect(await given({ redisUrl: "redis://h" }, { REDIS_PASSWORD: secret })).toEqual({ password: secret });
    const staging = { target: "staging", config: await config(CONFIG) };
    expect(await given(staging, { STAGING_PASSWORD: secret })).toEqual({ username: "app", password: secret });
    const file = join(directory, "password");
    await writeFile(file, `${secret}\n`);
    const withFile = await config(`targets: { t: { redis: { url: "redis://h", password_file: "${file}" } } }`);
    expect(await given({ target: "t", config: withFile })).toEqual({ password: secret });
  });

  it("takes authorities and a certificate from files of a named target, also for another rediss:// URL", async () => {
    const file = join(directory, "pem");
    await writeFile(file, "PEM\n");
    const path = await config(`targets: { t: { redis: { url: "rediss://h", tls: { ca: "${file}" } } } }`);
    const access = async (redisUrl?: string) =>
      (await settings({ target: "t", config: path, ...(redisUrl === undefined ? {} : { redisUrl }) })).redis?.access;
    expect(await access()).toEqual({ tls: { ca: "PEM\n" } });
    expect(await access("rediss://other")).toEqual({ tls: { ca: "PEM\n" } });
    expect(await access("redis://other")).toBeUndefined();
    const missing = await config('targets: { t: { redis: { url: "rediss://h", tls: { ca: "/nowhere" } } } }');
    expect(await fault({ target: "t", config: missing })).toMatchObject({ code: "CONFIG_INVALID" });
    const half = await config('targets: { t: { redis: { url: "rediss://h", tls: { cert: "/nowhere" } } } }');
    expect((await fault({ target: "t", config: half })).message).toContain("cert and key");
  });

  it.each([
    "redis://:s3cret@h",
    "redis://user:s3cret@h:6379/0",
    "rediss://:s3cret@h",
    // Text that is no URL, or has the secret where none is looked for.
    "redis://:s3cret/w@h",
    "redis://user:a@s3cret@h:port",
    "redis:s3cret@h",
    ":s3cret@h:6379",
  ])("with a password on the command line is refused and not repeated: %s", async (url) => {
    const error = await fault({ redisUrl: url });
    expect(error.exitStatus).toBe(2);
    expect(`${error.message} ${error.hint}`).not.toContain("s3cret");
  });

  it("with a password in a configuration file is refused", async () => {
    const path = await config('targets: { t: { redis: { url: "redis://:s3cret@h" } } }');
    expect(await fault({ target: "t", config: path })).toMatchObject({ code: "SECRET_ON_COMMAND_LINE" });
  });

  it("of a socket takes a password as well", async () => {
    const { redis } = await settings({ redisUrl: "unix:///tmp/s" }, { REDIS_PASSWORD: "p" });
    expect(redis).toMatchObject({ url: "unix:///tmp/s", access: { password: "p" } });
  });

  it.each(["http://h", "h:6379", "redis://h/x", "redis://h/1/2", "redis://h/-1", ""])("cannot be %j", async (url) => {
    expect(await fault({ redisUrl: url })).toMatchObject({ code: "USAGE" });
  });
});

describe("a named target", () => {
  it("may be named by the environment", async () => {
    const found = await resolve({ config: await config(CONFIG) }, { ELASTICKV_RESTORE_TARGET: "production" });
    expect(found.settings.sqs).toMatchObject({ endpoint: { url: "https://sqs.example" } });
  });

  it("brings its own limits", async () => {
    const { named } = await resolve({ target: "staging", config: await config(CONFIG) }, { STAGING_PASSWORD: "p" });
    expect(named).toMatchObject({ rate_limit: "100ops/s", concurrency: 4 });
  });

  it("stands in the user's configuration folder unless another file is named", async () => {
    expect(await fault({ target: "x" }, { XDG_CONFIG_HOME: directory })).toMatchObject({
      message: expect.stringContaining(join(directory, "elastickv-restore", "config.yaml")),
    });
  });

  it("that is not there is refused with the nearest ones", async () => {
    expect(await fault({ target: "stagin", config: await config(CONFIG) })).toMatchObject({
      code: "USAGE",
      hint: "It has: staging, production.",
    });
    expect(await fault({ target: "constructor", config: await config("{}") })).toMatchObject({ code: "USAGE" });
  });

  it("sandbox is none to restore into", async () => {
    expect(await fault({ target: "sandbox" })).toMatchObject({ code: "USAGE" });
  });

  it("whose password variable is not set, or whose password file is missing, is refused", async () => {
    expect(await fault({ target: "staging", config: await config(CONFIG) })).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("STAGING_PASSWORD"),
    });
    const path = await config('targets: { t: { redis: { url: "redis://h", password_file: "/nowhere/p" } } }');
    expect(await fault({ target: "t", config: path })).toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("a configuration file", () => {
  it.each([
    ["targets: { t: { dynamo: {} } }", /dynamo/],
    ["targets: { t: { s3: { endpoint: 5 } } }", /endpoint/],
    ["targets: { t: { s3: {} } }", /endpoint/],
    ["target: {}", /target/],
    ["[1, 2]", /./],
    ["a: b: c", /line 1/],
  ])("that holds %j is refused with what is wrong", async (text, what) => {
    const error = await fault({ target: "t", config: await config(text) });
    expect(error).toMatchObject({ code: "CONFIG_INVALID", exitStatus: 2, message: expect.stringMatching(what) });
    expect(error.message).toContain(join(directory, "config.yaml"));
  });

  it("that is missing is refused", async () => {
    expect(await fault({ target: "t", config: join(directory, "none.yaml") })).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("is not there"),
    });
  });

  it("that cannot be read as YAML is not quoted: a secret may stand in it", async () => {
    const path = await config('targets:\n  t: { redis: { url: "redis://:s3cret@h" }\n  x: [');
    expect((await fault({ target: "t", config: path })).message).not.toContain("s3cret");
  });
});

describe("an empty value", () => {
  it("of --region or of a profile leaves the environment's choice", async () => {
    const args = { s3Endpoint: "aws", region: "", s3Profile: "" };
    const found = await settings(args, { AWS_REGION: "eu-central-1", AWS_PROFILE: "staging" });
    expect(found.s3).toMatchObject({ region: "eu-central-1", profile: "staging" });
    expect((await settings(args)).s3).not.toHaveProperty("region");
  });
});

describe("--config", () => {
  it("that no target makes use of is refused, so that no leftover endpoint is taken instead", async () => {
    const path = await config(CONFIG);
    expect(await fault({ config: path }, { REDIS_URL: "redis://h" })).toMatchObject({
      code: "USAGE",
      message: expect.stringContaining(path),
      hint: expect.stringContaining("--target"),
    });
  });
});
