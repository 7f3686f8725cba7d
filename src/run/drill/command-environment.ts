/** What an operator's command finds in its environment: where the drill restored to, under the names that tools know. */
import { ADAPTERS, type Adapter, scopeLabel } from "../../model/scope.js";
import type { AwsOptions } from "../../replayers/aws-client.js";
import type { TargetSettings } from "../targets.js";
import type { NamedScope } from "./names.js";

export interface CommandSetting {
  readonly drill: string;
  readonly dump: string;
  readonly targets: TargetSettings;
  readonly scopes: readonly (NamedScope & { readonly target: string })[];
}

const AWS = ["dynamodb", "s3", "sqs"] as const;

/**
 * Undefined values are taken out of the environment: a leftover variable must not lead a command to another server than
 * the drill's.
 */
export function commandEnvironment({
  drill,
  dump,
  targets,
  scopes,
}: CommandSetting): Record<string, string | undefined> {
  const held = ADAPTERS.filter((adapter) => scopes.some((scope) => scope.adapter === adapter));
  const first = AWS.filter((adapter) => held.includes(adapter)).flatMap((adapter) => targets[adapter] ?? [])[0];
  return {
    AWS_ENDPOINT_URL: undefined,
    ...Object.fromEntries(AWS.map((adapter) => [`AWS_ENDPOINT_URL_${adapter.toUpperCase()}`, undefined])),
    REDIS_URL: undefined,
    REDIS_PASSWORD: undefined,
    REDISCLI_AUTH: undefined,
    ...(first === undefined ? {} : awsAccess("AWS", first)),
    ...Object.assign({}, ...held.map((adapter) => endpointOf(adapter, targets))),
    ELASTICKV_DRILL_ID: drill,
    ELASTICKV_DRILL_DUMP: dump,
    ELASTICKV_DRILL_SCOPES: JSON.stringify(
      Object.fromEntries(scopes.map((scope) => [scopeLabel(scope), scope.target])),
    ),
  };
}

function endpointOf(adapter: Adapter, targets: TargetSettings): Record<string, string | undefined> {
  if (adapter === "redis") {
    const { url, access } = targets.redis ?? {};
    const password = access?.password;
    return { REDIS_URL: url, ELASTICKV_DRILL_REDIS_URL: url, REDIS_PASSWORD: password, REDISCLI_AUTH: password };
  }
  const target = targets[adapter];
  if (target === undefined) return {};
  const name = adapter.toUpperCase();
  const url = "url" in target.endpoint ? target.endpoint.url : undefined;
  return {
    [`AWS_ENDPOINT_URL_${name}`]: url,
    [`ELASTICKV_DRILL_${name}_ENDPOINT`]: url ?? "aws",
    // Credentials may differ from adapter to adapter; the ones without an adapter's name are the first one's.
    ...awsAccess(`ELASTICKV_DRILL_${name}`, target),
  };
}

function awsAccess(prefix: string, { credentials, profile, region }: AwsOptions): Record<string, string | undefined> {
  return {
    [`${prefix}_REGION`]: region ?? "us-east-1",
    ...(profile === undefined ? {} : { [`${prefix}_PROFILE`]: profile }),
    ...(credentials === undefined
      ? {}
      : {
          [`${prefix}_PROFILE`]: undefined,
          [`${prefix}_ACCESS_KEY_ID`]: credentials.accessKeyId,
          [`${prefix}_SECRET_ACCESS_KEY`]: credentials.secretAccessKey,
          [`${prefix}_SESSION_TOKEN`]: credentials.sessionToken,
        }),
  };
}
