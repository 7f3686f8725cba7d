/**
 * Endpoints and credentials from options, environment and configuration file, in this order. Secrets come from the
 * environment, from files and from the AWS chain, never from the command line, which every user of a machine can read.
 */
import { readFile } from "node:fs/promises";
import { messageOf, RestoreError } from "../errors/restore-error.js";
import type { AwsEndpoint, AwsOptions } from "../replayers/aws-client.js";
import { type RedisAccess, splitSeeds } from "../replayers/redis/target-url.js";
import type { TargetSettings } from "../run/targets.js";
import { present } from "../support/present.js";
import { type NamedTarget, readNamedTarget } from "./config.js";
import type { Io } from "./io.js";

export interface TargetArguments {
  readonly dynamodbEndpoint?: string;
  readonly s3Endpoint?: string;
  readonly sqsEndpoint?: string;
  readonly redisUrl?: string;
  readonly dynamodbProfile?: string;
  readonly s3Profile?: string;
  readonly sqsProfile?: string;
  readonly region?: string;
  readonly target?: string;
  readonly config?: string;
}

type AwsAdapter = "dynamodb" | "s3" | "sqs";

const ENDPOINT_VARIABLE: Record<AwsAdapter, string> = {
  dynamodb: "AWS_ENDPOINT_URL_DYNAMODB",
  s3: "AWS_ENDPOINT_URL_S3",
  sqs: "AWS_ENDPOINT_URL_SQS",
};

export interface ResolvedTargets {
  readonly settings: TargetSettings;
  /** Of the named target, for what the command line leaves open. */
  readonly named: NamedTarget | undefined;
}

/** @throws RestoreError USAGE, CONFIG_INVALID, SECRET_ON_COMMAND_LINE */
export async function resolveTargets(args: TargetArguments, io: Io): Promise<ResolvedTargets> {
  const name = args.target ?? set(io.env["ELASTICKV_RESTORE_TARGET"]);
  if (name === undefined && args.config !== undefined) {
    throw new RestoreError("USAGE", `--config names ${args.config}, and nothing names a target in it`, {
      hint: "Name one with --target, or leave --config out.",
    });
  }
  const named = name === undefined ? undefined : await readNamedTarget(name, args.config, io);
  const context = { args, io, ...(named === undefined ? {} : { named, name }) };
  const [dynamodb, s3, sqs] = (["dynamodb", "s3", "sqs"] as const).map((adapter) => resolveAws(adapter, context));
  const redis = await resolveRedis(context);
  return {
    named,
    settings: {
      ...(dynamodb === undefined ? {} : { dynamodb }),
      ...(s3 === undefined ? {} : { s3 }),
      ...(sqs === undefined ? {} : { sqs }),
      ...(redis === undefined ? {} : { redis }),
    },
  };
}

interface Context {
  readonly args: TargetArguments;
  readonly io: Io;
  readonly named?: NamedTarget;
  readonly name?: string | undefined;
}

function resolveAws(adapter: AwsAdapter, context: Context): (AwsOptions & { readonly origin: string }) | undefined {
  const { args, io, named } = context;
  const settings = named?.[adapter];
  const found = firstGiven([
    [`--${adapter}-endpoint`, args[`${adapter}Endpoint`]],
    [`target "${context.name ?? ""}"`, settings?.endpoint],
    [ENDPOINT_VARIABLE[adapter], set(io.env[ENDPOINT_VARIABLE[adapter]])],
  ]);
  if (found === undefined) return undefined;
  const endpoint = parseEndpoint(found.value, found.origin);
  const profile = set(args[`${adapter}Profile`]) ?? settings?.profile ?? set(io.env["AWS_PROFILE"]);
  const region = set(args.region) ?? settings?.region ?? set(io.env["AWS_REGION"]) ?? set(io.env["AWS_DEFAULT_REGION"]);
  return {
    endpoint,
    origin: found.origin,
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? credentials(io) : { profile }),
    ...present({ idleTimeoutMs: io.silenceMs }),
  };
}

function firstGiven(candidates: readonly (readonly [origin: string, value: string | undefined])[]) {
  for (const [origin, value] of candidates) if (value !== undefined) return { origin, value };
  return undefined;
}

/** Without a profile, keys of the environment are the SDK chain's first choice as well. */
function credentials({ env }: Io): Pick<AwsOptions, "credentials"> {
  const [accessKeyId, secretAccessKey] = [set(env["AWS_ACCESS_KEY_ID"]), set(env["AWS_SECRET_ACCESS_KEY"])];
  const sessionToken = set(env["AWS_SESSION_TOKEN"]);
  if (accessKeyId === undefined || secretAccessKey === undefined) return {};
  return { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } };
}

function parseEndpoint(text: string, origin: string): AwsEndpoint {
  if (text === "aws") {
    if (!origin.startsWith("AWS_")) return { aws: true };
    throw new RestoreError("USAGE", `${origin} does not take "aws"`, {
      hint: "The real AWS service is named with an option or in a named target, so that no leftover setting chooses it.",
    });
  }
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new RestoreError("USAGE", `${origin} is not a URL: "${withoutPassword(text)}"`, {
      hint: "Give http://host:port or https://host, or `aws` for the AWS service itself.",
    });
  }
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw secret(origin, "credentials in a URL", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile");
  assertNotAws(url.hostname, origin);
  return { url: text };
}

/** Hosts of AWS, in China and with dual stack too. */
const AWS_HOST = /(?:^|\.)(?:amazonaws\.com(?:\.cn)?|api\.aws)$/;
/** Endpoints of a private network, which have no other name than their URL. */
const PRIVATE_HOST = /\.vpce\.amazonaws\.com(?:\.cn)?$/;

/** AWS by its URL would be AWS chosen by a leftover setting, or AWS taken for another server. */
function assertNotAws(host: string, origin: string): void {
  if (!AWS_HOST.test(host) || (PRIVATE_HOST.test(host) && !origin.startsWith("AWS_"))) return;
  throw new RestoreError("USAGE", `${origin} names the AWS service by its URL (${host})`, {
    hint: "Give `aws` with an option or in a named target, and the region with --region.",
  });
}

async function resolveRedis(context: Context): Promise<TargetSettings["redis"]> {
  const { args, io, named } = context;
  const found = firstGiven([
    ["--redis-url", args.redisUrl],
    [`target "${context.name ?? ""}"`, named?.redis?.url],
    ["REDIS_URL", set(io.env["REDIS_URL"])],
  ]);
  if (found === undefined) return undefined;
  const { first, others } = splitSeeds(found.value);
  const { url, database } = splitDatabase(first, found.origin);
  if (found.origin !== "REDIS_URL" && url.password !== "") {
    throw secret(
      found.origin,
      "a password",
      "REDIS_URL or REDIS_PASSWORD, or password_env or password_file of a named target",
    );
  }
  const access = present({
    username: url.username === "" ? named?.redis?.username : undefined,
    password: url.password === "" ? await redisPassword(context) : undefined,
    tls: await redisTls(context, found),
  });
  return {
    url: [url.href, ...others].join(","),
    origin: found.origin,
    ...(Object.keys(access).length === 0 ? {} : { access }),
    ...present({ silenceMs: io.silenceMs }),
    ...(database === undefined ? {} : { database }),
  };
}

/** A named target's TLS settings, unless another URL without TLS takes the place of its own. */
async function redisTls({ named }: Context, found: { readonly value: string }): Promise<RedisAccess["tls"]> {
  const { url, tls } = named?.redis ?? {};
  if (tls === undefined || (url !== found.value && !found.value.startsWith("rediss"))) return undefined;
  const read = async (name: "ca" | "cert" | "key") => {
    const file = tls[name];
    return file === undefined ? undefined : await readNamed(file, `tls: ${name}`);
  };
  return present({ ca: await read("ca"), cert: await read("cert"), key: await read("key") });
}

const REDIS_PROTOCOL = /^(?:rediss?|rediss?\+cluster|unix|redis\+unix):$/;

function splitDatabase(text: string, origin: string): { readonly url: URL; readonly database: number | undefined } {
  if (!URL.canParse(text) || !REDIS_PROTOCOL.test(new URL(text).protocol)) {
    throw new RestoreError("USAGE", `${origin} is not a Redis URL: "${withoutPassword(text)}"`, {
      hint: "Give redis://host:port, rediss://host:port, redis+cluster://host:port,host:port or unix:///path/to/socket.",
    });
  }
  const url = new URL(text);
  if (url.search !== "" || url.hash !== "") {
    throw new RestoreError("USAGE", `${origin}: settings behind "?" or "#" are not taken`, {
      hint: "A database number goes behind the port: redis://host:port/3; a password into REDIS_PASSWORD.",
    });
  }
  if (/unix/.test(url.protocol)) return { url, database: undefined };
  const database = /^\/(\d+)$/.exec(url.pathname)?.[1];
  if (database === undefined && !/^\/?$/.test(url.pathname)) {
    throw new RestoreError("USAGE", `${origin}: "${withoutPassword(url.pathname.slice(1))}" is not a database number`, {
      hint: "Give redis://host:port/3, or leave the number out.",
    });
  }
  url.pathname = "";
  return { url, database: database === undefined ? undefined : Number(database) };
}

async function redisPassword({ io, named }: Context): Promise<string | undefined> {
  const { password_env: variable, password_file: file } = named?.redis ?? {};
  if (variable !== undefined) {
    const value = set(io.env[variable]);
    if (value !== undefined) return value;
    throw new RestoreError("CONFIG_INVALID", `password_env names ${variable}, which is not set`);
  }
  if (file === undefined) return set(io.env["REDIS_PASSWORD"]);
  return (await readNamed(file, "password_file")).replace(/\r?\n$/, "");
}

async function readNamed(file: string, setting: string): Promise<string> {
  return await readFile(file, "utf8").catch((cause: unknown) => {
    throw new RestoreError("CONFIG_INVALID", `${setting} ${file} cannot be read: ${messageOf(cause)}`, {
      hint: "Mend the named target in the configuration file, or the file that it names.",
    });
  });
}

function secret(origin: string, what: string, instead: string): RestoreError {
  return new RestoreError("SECRET_ON_COMMAND_LINE", `${origin} holds ${what}`, { hint: `Give it through ${instead}.` });
}

function withoutPassword(text: string): string {
  // Up to the last @, whatever stands there: text that is no URL may hold a password with any character.
  return text.replace(/^([a-z+]+:(?:\/\/)?)?.*@/is, "$1");
}

function set(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
