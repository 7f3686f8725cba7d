/**
 * The configuration file: named targets. YAML, by default `elastickv-restore/config.yaml` in the user's configuration
 * folder. It holds no secrets itself: it names the environment variable, file or profile that does.
 */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { messageOf, RestoreError, systemCode } from "../errors/restore-error.js";
import { nearest } from "../support/nearest.js";
import type { Io } from "./io.js";

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

const config = z.strictObject({ targets: z.record(z.string(), target).default({}) });

export type NamedTarget = z.infer<typeof target>;

/** @throws RestoreError CONFIG_INVALID, USAGE when no target of this name is there */
export async function readNamedTarget(name: string, configPath: string | undefined, io: Io): Promise<NamedTarget> {
  if (name === "sandbox") {
    throw new RestoreError("USAGE", 'the target "sandbox" is for drills', {
      hint: "Name endpoints or another target.",
    });
  }
  const path = configPath ?? defaultPath(io);
  const { targets } = await readConfig(path);
  const found = Object.hasOwn(targets, name) ? targets[name] : undefined;
  if (found !== undefined) return found;
  const near = nearest(name, Object.keys(targets));
  throw new RestoreError("USAGE", `${path} has no target "${name}"`, {
    hint: near.length === 0 ? "Add it under `targets:`." : `It has: ${near.join(", ")}.`,
  });
}

function defaultPath({ env }: Io): string {
  const base = env["XDG_CONFIG_HOME"];
  return join(
    base !== undefined && base !== "" ? base : join(homedir(), ".config"),
    "elastickv-restore",
    "config.yaml",
  );
}

async function readConfig(path: string): Promise<z.infer<typeof config>> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    const why = systemCode(cause) === "ENOENT" ? "is not there" : messageOf(cause);
    throw invalid(path, why, "Name the file with --config, or give endpoints with options.");
  });
  try {
    return config.parse(parseYaml(text) ?? {});
  } catch (cause) {
    // The parser quotes the line that it stumbled over, which may hold what nobody should read in a log.
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause).split("\n", 1)[0];
    throw invalid(
      path,
      why,
      "It holds `targets:`, each with dynamodb, s3, sqs (endpoint, region, profile) and redis (url).",
    );
  }
}

function invalid(path: string, why: string | undefined, hint: string): RestoreError {
  return new RestoreError("CONFIG_INVALID", `configuration file ${path}: ${why}`, { hint, where: { path } });
}
