/** Arguments kept as words, for running them again from another folder or in another process. They hold no secrets. */
import { resolve } from "node:path";
import type { Options } from "yargs";
import type { JobIdentity } from "../run/job/identity.js";
import { present } from "../support/present.js";
import type { Io } from "./io.js";
import type { RunArguments } from "./run-options.js";

/** Words from which the same arguments are parsed, by a command with these options. */
export function wordsFor(options: Readonly<Record<string, Options>>, args: { readonly dump: string }): string[] {
  const values = args as unknown as Readonly<Record<string, unknown>>;
  const words = Object.entries(options).flatMap(([name, option]) => optionWords(name, option, values[camel(name)]));
  return [...words, args.dump];
}

function optionWords(name: string, { type }: Options, value: unknown): string[] {
  if (value === undefined || value === false) return [];
  if (type === "boolean") return [`--${name}`];
  return [value].flat().map((each) => `--${name}=${String(each)}`);
}

/** `dry-run`: as the parser names it. */
export function camel(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** With every path absolute, but for those of reports. */
export function withAbsolutePaths<A extends RunArguments>(args: A, cwd: string): A {
  const from = (path: string | undefined) => (path === undefined ? undefined : resolve(cwd, path));
  const { transform, remapDir, config, retryOf, dump } = args;
  const paths = {
    transform: from(transform),
    remapDir: from(remapDir),
    config: from(config),
    retryOf: from(retryOf),
    dump: resolve(cwd, dump),
  };
  return { ...args, ...present(paths) };
}

const ENDPOINT = {
  dynamodb: ["dynamodbEndpoint", "AWS_ENDPOINT_URL_DYNAMODB"],
  s3: ["s3Endpoint", "AWS_ENDPOINT_URL_S3"],
  sqs: ["sqsEndpoint", "AWS_ENDPOINT_URL_SQS"],
  redis: ["redisUrl", "REDIS_URL"],
} as const;

/** An endpoint that came from the environment then, and is missing there now. */
export function withSavedEndpoints<A extends RunArguments>(
  args: A,
  { identity }: { readonly identity: JobIdentity },
  { env }: Pick<Io, "env">,
): A {
  if (args.target !== undefined || env["ELASTICKV_RESTORE_TARGET"] !== undefined) return args;
  const saved = Object.entries(ENDPOINT).flatMap(([adapter, [option, variable]]) => {
    const endpoint = identity.endpoints[adapter];
    if (endpoint === undefined || args[option] !== undefined || (env[variable] ?? "") !== "") return [];
    return /^AWS /.test(endpoint) ? [] : [[option, endpoint] as const];
  });
  return { ...args, ...Object.fromEntries(saved) };
}
