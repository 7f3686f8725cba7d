/** The `daemon:` section of the configuration file. It holds no secrets: it names the file or variable that does. */
import * as z from "zod";
import { limitsSchema } from "./channel.js";
import { drillOptionsSchema, verifyOptionsSchema } from "./schema/options.js";

const name = z.string().regex(/^[\w.-]{1,100}$/, "letters, digits, dot, dash and underscore");
const path = z.string().min(1);
const duration = z.string().regex(/^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/, "a duration: 90s, 12h, 30d");
const secret = { env: z.string().min(1).exactOptional(), file: path.exactOptional() };
const oneSecret = ({ env, file }: { env?: string; file?: string }) => (env === undefined) !== (file === undefined);
const ONE_SECRET = "give env or file";

/** What a token may do: look; also restore without deleting; also delete. */
export const ROLES = ["read", "restore", "destroy"] as const;
export type Role = (typeof ROLES)[number];

const token = z.strictObject({ name, role: z.enum(ROLES), ...secret }).refine(oneSecret, ONE_SECRET);

const tcp = z.strictObject({
  host: z.string().default("127.0.0.1"),
  port: z.int().min(0).max(65_535),
  /** PEM files. Wanted for any address but the loopback's. */
  tls: z.strictObject({ cert: path, key: path }).exactOptional(),
  /** Names by which clients reach it, beside the address itself. */
  hosts: z.array(z.string()).default([]),
});

const webhook = z
  .strictObject({ url: z.url({ protocol: /^https?$/ }), ...secret })
  .refine(oneSecret, ONE_SECRET)
  .describe("the secret signs what is sent");

const scheduled = {
  cron: z.string(),
  timezone: z.string().default("UTC"),
  jitter: duration.exactOptional().describe("a random delay up to this"),
  missed: z.enum(["skip", "run-once"]).default("run-once").describe("runs that were due while the daemon was down"),
  overlap: z.enum(["skip", "queue"]).default("skip").describe("a run that is due while the one before is under way"),
  root: name,
  pick: z.enum(["newest", "random"]).default("newest"),
  target: name.exactOptional(),
  limits: limitsSchema.exactOptional(),
  notify: z.array(name).default([]).describe("webhooks told when a run fails, misses its objective or is left out"),
  notifySuccess: z.boolean().default(false),
};

const schedule = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("drill"), ...scheduled, options: drillOptionsSchema.default({}) }),
  z.strictObject({ kind: z.literal("verify"), ...scheduled, options: verifyOptionsSchema.default({}) }),
]);

export const daemonSchema = z.strictObject({
  /** Unix socket; default: `daemon.sock` in the state directory. `false`: none. */
  socket: z.union([path, z.literal(false)]).exactOptional(),
  listen: tcp.exactOptional(),
  tokens: z.array(token).default([]),
  /** Folders with dumps, by name. */
  roots: z.record(name, path).default({}),
  /** Files of assertions for drills, by name. */
  assertions: z.record(name, path).default({}),
  jobs: z
    .strictObject({
      at_once: z.int().min(1).max(64).default(2),
      /** Waiting; more are refused. */
      queued: z.int().min(1).max(100_000).default(1000),
      /** What happens after a restart to jobs that were under way. */
      after_restart: z.enum(["resume", "hold"]).default("resume"),
      keep: duration.default("90d"),
      keep_most: z.int().min(1).max(1_000_000).default(10_000),
      /** For what is under way when the daemon is told to end. */
      stop_within: duration.default("30s"),
    })
    .prefault({}),
  schedules: z.record(name, schedule).default({}),
  webhooks: z.record(name, webhook).default({}),
});

export type DaemonSettings = z.infer<typeof daemonSchema>;
export type ScheduleSettings = DaemonSettings["schedules"][string];
