/** What a job was begun with, as arguments: for taking it up again, letting go of it, and restoring parts of it again. */
import { resolve } from "node:path";
import type { Options } from "yargs";
import { RestoreError } from "../errors/restore-error.js";
import type { JobFile } from "../run/job/job-file.js";
import { present } from "../support/present.js";
import { type ApplyArguments, apply } from "./commands/apply.js";
import type { Io } from "./io.js";
import { parse } from "./parse.js";

/** The arguments by which the job was begun, with absolute paths. */
export async function argumentsOf({ words, dump, cwd }: JobFile): Promise<ApplyArguments> {
  const parsed = await parse(["apply", ...words], [apply]);
  if (!("args" in parsed)) throw new RestoreError("INTERNAL", "the job's words are no apply");
  const args = parsed.args as ApplyArguments;
  const from = (path: string | undefined) => (path === undefined ? undefined : resolve(cwd, path));
  const paths = {
    report: args.report?.map((path) => resolve(cwd, path)),
    transform: from(args.transform),
    remapDir: from(args.remapDir),
    config: from(args.config),
    retryOf: from(args.retryOf),
  };
  return { ...args, ...present(paths), dump };
}

/** Words behind `apply` from which the same arguments are parsed. Paths have to be absolute. */
export function wordsOf(args: ApplyArguments): string[] {
  const values = args as unknown as Readonly<Record<string, unknown>>;
  const options = Object.entries(apply.options).flatMap(([name, option]) =>
    optionWords(name, option, values[camel(name)]),
  );
  return [...options, args.dump];
}

function optionWords(name: string, { type }: Options, value: unknown): string[] {
  if (value === undefined || value === false) return [];
  if (type === "boolean") return [`--${name}`];
  return [value].flat().map((each) => `--${name}=${String(each)}`);
}

function camel(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

const ENDPOINT = {
  dynamodb: ["dynamodbEndpoint", "AWS_ENDPOINT_URL_DYNAMODB"],
  s3: ["s3Endpoint", "AWS_ENDPOINT_URL_S3"],
  sqs: ["sqsEndpoint", "AWS_ENDPOINT_URL_SQS"],
  redis: ["redisUrl", "REDIS_URL"],
} as const;

/** An endpoint that came from the environment then, and is missing there now. */
export function withSavedEndpoints(
  args: ApplyArguments,
  { identity }: JobFile,
  { env }: Pick<Io, "env">,
): ApplyArguments {
  if (args.target !== undefined || env["ELASTICKV_RESTORE_TARGET"] !== undefined) return args;
  const saved = Object.entries(ENDPOINT).flatMap(([adapter, [option, variable]]) => {
    const endpoint = identity.endpoints[adapter];
    if (endpoint === undefined || args[option] !== undefined || (env[variable] ?? "") !== "") return [];
    return /^AWS /.test(endpoint) ? [] : [[option, endpoint] as const];
  });
  return { ...args, ...Object.fromEntries(saved) };
}
