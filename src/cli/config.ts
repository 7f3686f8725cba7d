/**
 * The configuration file: named targets, and what `serve` needs. YAML, by default `elastickv-restore/config.yaml` in the
 * user's configuration folder. It holds no secrets itself: it names the environment variable, file or profile that does.
 */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { daemonSchema } from "../daemon/settings.js";
import { messageOf, RestoreError, systemCode } from "../errors/restore-error.js";
import { nearest } from "../support/nearest.js";
import { present } from "../support/present.js";
import { schemaFaults, schemaFaultText } from "../support/schema-faults.js";
import type { Io } from "./io.js";
import { parseYamlFile, type YamlFile } from "./yaml-file.js";

const aws = z.strictObject({
  endpoint: z.string(),
  region: z.string().optional(),
  profile: z.string().optional(),
});

const redis = z.strictObject({
  url: z.string(),
  username: z.string().optional(),
  password_env: z.string().optional(),
  password_file: z.string().optional(),
  /** PEM files: the authorities trusted, and a certificate of this client with its key. */
  tls: z
    .strictObject({ ca: z.string().optional(), cert: z.string().optional(), key: z.string().optional() })
    .refine(({ cert, key }) => (cert === undefined) === (key === undefined), "cert and key belong together")
    .optional(),
});

const target = z.strictObject({
  dynamodb: aws.optional(),
  s3: aws.optional(),
  sqs: aws.optional(),
  redis: redis.optional(),
  rate_limit: z.string().optional(),
  concurrency: z.union([z.string(), z.int()]).optional(),
});

const config = z.strictObject({
  targets: z.record(z.string(), target).default({}),
  daemon: daemonSchema.optional(),
});

export type NamedTarget = z.infer<typeof target>;

/** The configuration, and where its parts stand. */
export interface ConfigFile extends z.infer<typeof config> {
  readonly path: string;
  /** Mistakes in it as one error, each with line and key. */
  readonly refused: (mistakes: readonly Mistake[]) => RestoreError;
}

export interface Mistake {
  /** Its place, from the outermost name on: `["daemon", "listen", "port"]`. */
  readonly path: readonly PropertyKey[];
  /** Lower case, without the place. */
  readonly message: string;
}

/** @throws RestoreError CONFIG_INVALID, USAGE when no target of this name is there */
export async function readNamedTarget(name: string, configPath: string | undefined, io: Io): Promise<NamedTarget> {
  if (name === "sandbox") {
    throw new RestoreError("USAGE", 'the target "sandbox" is for drills', {
      hint: "Name endpoints or another target.",
    });
  }
  const path = configPath ?? defaultConfigPath(io);
  const { targets } = await readConfig(path);
  const found = Object.hasOwn(targets, name) ? targets[name] : undefined;
  if (found !== undefined) return found;
  const near = nearest(name, Object.keys(targets));
  throw new RestoreError("USAGE", `${path} has no target "${name}"`, {
    hint: near.length === 0 ? "Add it under `targets:`." : `It has: ${near.join(", ")}.`,
  });
}

export function defaultConfigPath({ env }: Pick<Io, "env">): string {
  const base = env["XDG_CONFIG_HOME"];
  return join(
    base !== undefined && base !== "" ? base : join(homedir(), ".config"),
    "elastickv-restore",
    "config.yaml",
  );
}

/** @throws RestoreError CONFIG_INVALID with line and key of every mistake */
export async function readConfig(path: string): Promise<ConfigFile> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    const why = systemCode(cause) === "ENOENT" ? "is not there" : messageOf(cause);
    throw invalid(path, why, "Name the file with --config, or give endpoints with options.");
  });
  const file = parsed(path, text);
  const refused = (mistakes: readonly Mistake[]) => mistaken(path, file, mistakes);
  const checked = config.safeParse(file.value ?? {});
  if (!checked.success) throw refused(schemaFaults(checked.error));
  return { ...checked.data, path, refused };
}

function parsed(path: string, text: string): YamlFile {
  try {
    return parseYamlFile(text);
  } catch (cause) {
    throw invalid(path, messageOf(cause), HOLDS);
  }
}

const HOLDS =
  "It holds `targets:`, each with dynamodb, s3, sqs (endpoint, region, profile) and redis (url), and `daemon:` for `serve`.";

function mistaken(path: string, file: YamlFile, mistakes: readonly Mistake[]): RestoreError {
  const told = mistakes.map((mistake) => ({ line: file.lineOf(mistake.path), text: schemaFaultText(mistake, "") }));
  const lines = told.sort((a, b) => a.line - b.line).map(({ line, text }) => `line ${line}: ${text}`);
  return invalid(path, lines.join("\n  "), HOLDS, told[0]?.line);
}

function invalid(path: string, why: string | undefined, hint: string, line?: number): RestoreError {
  return new RestoreError("CONFIG_INVALID", `configuration file ${path}: ${why}`, {
    hint,
    where: { path, ...present({ line }) },
  });
}
