/** A bucket's settings: applied to a bucket that the run made or emptied, compared in one that it keeps. */
import { RestoreError } from "../../errors/restore-error.js";
import type { Difference } from "../../model/difference.js";
import type { BucketScope } from "../../model/scope.js";
import type { S3Api } from "./api.js";
import { ACLS_DISABLED, hasReason } from "./classify-error.js";
import type { Traits } from "./probe.js";
import { samePolicy } from "./same-policy.js";

export interface SettingsInit {
  readonly api: S3Api;
  readonly traits: Traits;
  readonly allowPublic: boolean;
  readonly applyPolicies: boolean;
}

/**
 * Applies what the dump says and the options allow. `fresh`: the bucket was just made, so defaults need no request.
 * What the target does not know becomes a warning. Repeatable.
 */
export async function applySettings(
  init: SettingsInit,
  { target, settings }: BucketScope,
  fresh: boolean,
): Promise<string[]> {
  if (settings === undefined) return [];
  const warnings = await applyAcl(init, target, { acl: settings.acl, fresh });
  warnings.push(...(await applyVersioning(init, target, settings.versioning)));
  return [...warnings, ...(await applyPolicy(init, target, settings.policy))];
}

async function applyAcl(
  { api, allowPublic }: SettingsInit,
  bucket: string,
  { acl, fresh }: { readonly acl: "private" | "public-read"; readonly fresh: boolean },
): Promise<string[]> {
  if (acl === "private" || !allowPublic) {
    const warnings =
      acl === "private"
        ? []
        : ["the bucket was public-read and is now private: --allow-public makes it readable for everybody again"];
    if (fresh) return warnings;
    const failed = await attempt("its ACL could not be set to private", () => setPrivate(api, bucket));
    return [...warnings, ...failed];
  }
  return await attempt("public-read could not be set, the bucket is private", () => api.setAcl(bucket, "public-read"));
}

/** A bucket of AWS knows no ACLs unless its owner turned them on: then none opens it to anybody. */
async function setPrivate(api: S3Api, bucket: string): Promise<void> {
  await api.setAcl(bucket, "private").catch((error: unknown) => {
    if (!hasReason(error, ACLS_DISABLED)) throw error;
  });
}

async function applyVersioning(
  { api, traits }: SettingsInit,
  bucket: string,
  status: "Enabled" | "Suspended" | undefined,
): Promise<string[]> {
  if (status === undefined) return [];
  const what = `versioning (${status}) could not be set`;
  // A server that does not know the query would take the request for another one.
  if (!traits.hasVersioning) return [`${what}: the target has no versioning`];
  return await attempt(what, () => api.setVersioning(bucket, status));
}

async function applyPolicy(
  { api, traits, applyPolicies }: SettingsInit,
  bucket: string,
  policy: string | undefined,
): Promise<string[]> {
  if (policy === undefined) return [];
  if (!applyPolicies) return ["its policy was left out: --apply-policies sets it"];
  if (!traits.hasPolicies) return ["its policy could not be set: the target has no policies"];
  return await attempt("its policy could not be set", () => api.setPolicy(bucket, policy));
}

/** What differs between a bucket that is kept and the dump's settings. Changes nothing. */
export async function compareSettings(init: SettingsInit, { target, settings }: BucketScope): Promise<string[]> {
  if (settings === undefined) return [];
  const { isPublic, versioning, policy } = await toldSettings(init, target);
  const wasPublic = settings.acl === "public-read";
  const differences: readonly (readonly [differs: boolean, sentence: string])[] = [
    [isPublic !== undefined && isPublic !== wasPublic, `it is ${isPublic === true ? "public-read" : "private"} here`],
    [
      versioning !== settings.versioning,
      `versioning is ${versioning ?? "off"} here, was ${settings.versioning ?? "off"}`,
    ],
    [
      (policy === undefined) !== (settings.policy === undefined),
      `it ${policy === undefined ? "lacks the" : "has a"} policy`,
    ],
  ];
  return differences.flatMap(([differs, sentence]) => (differs ? [`kept as it is: ${sentence}`] : []));
}

/**
 * What of the settings that a restore sets is not as the dump has it. A bucket that was public and may not be made public
 * is right either way, a policy counts only where policies are set, and versioning that a dump does not name is left as it
 * is by a restore. Where a bucket lies is chosen by who restores. Changes nothing.
 */
export async function settingDifferences(
  init: SettingsInit,
  { target, settings }: BucketScope,
): Promise<{ readonly differences: readonly Difference[]; readonly unproven: readonly string[] }> {
  if (settings === undefined) return { differences: [], unproven: ["its settings: the dump does not tell them"] };
  const { isPublic, versioning, policy } = await toldSettings(init, target);
  const differences: Difference[] = [];
  const differs = (at: string, detail: string) => differences.push({ kind: "setting", at, detail });
  const wasPublic = settings.acl === "public-read";
  if (isPublic === true && !wasPublic) differs("ACL", "it is public-read here, was private");
  if (isPublic === false && wasPublic && init.allowPublic) differs("ACL", "it is private here, was public-read");
  if (settings.versioning !== undefined && versioning !== settings.versioning) {
    differs("versioning", `it is ${versioning ?? "off"} here, was ${settings.versioning}`);
  }
  if (settings.policy !== undefined && init.applyPolicies && !samePolicy(settings.policy, policy)) {
    differs("policy", policy === undefined ? "it has none here" : "it is another one here");
  }
  return { differences, unproven: isPublic === undefined ? ["its ACL: the target does not tell it"] : [] };
}

/**
 * Sets what differs. Returns what differs still, a sentence each. Repeatable.
 * @throws RestoreError when the target cannot be written to
 */
export async function mendSettings(init: SettingsInit, scope: BucketScope): Promise<string[]> {
  const before = await settingDifferences(init, scope);
  const said = new Map<string | undefined, string[]>();
  for (const { at } of before.differences) said.set(at, await mendSetting(init, scope, at));
  const after = await settingDifferences(init, scope);
  return after.differences.flatMap(({ at = "", detail }) => {
    const why = said.get(at) ?? [];
    // A target may take a setting and not keep it.
    return why.length > 0 ? why : [`${at}: ${detail}`];
  });
}

async function mendSetting(init: SettingsInit, scope: BucketScope, at: string | undefined): Promise<string[]> {
  const { settings, target } = scope;
  if (settings === undefined) return [];
  if (at === "ACL") return await applyAcl(init, target, { acl: settings.acl, fresh: false });
  if (at === "versioning") return await applyVersioning(init, target, settings.versioning);
  return await applyPolicy(init, target, settings.policy);
}

interface ToldSettings {
  /** Absent where the target does not tell. */
  readonly isPublic: boolean | undefined;
  readonly versioning: string | undefined;
  readonly policy: string | undefined;
}

async function toldSettings({ api, traits }: SettingsInit, bucket: string): Promise<ToldSettings> {
  return {
    isPublic: await ask(() => api.isPublic(bucket)),
    versioning: traits.hasVersioning ? await ask(() => api.versioning(bucket)) : undefined,
    policy: traits.hasPolicies ? await ask(() => api.policy(bucket)) : undefined,
  };
}

/** Nothing where the target does not answer: settings are kept whatever they are. */
async function ask<T>(question: () => Promise<T>): Promise<T | undefined> {
  try {
    return await question();
  } catch (error) {
    if (isOwnFault(error)) return undefined;
    throw error;
  }
}

async function attempt(what: string, work: () => Promise<void>): Promise<string[]> {
  try {
    await work();
    return [];
  } catch (error) {
    if (isOwnFault(error)) return [`${what}: ${error.message}`];
    throw error;
  }
}

/** The request's own fault, not the target's or the run's; a refusal of the settings alone is one too. */
function isOwnFault(error: unknown): error is RestoreError {
  return (
    error instanceof RestoreError &&
    (error.code === "CALL_FAILED" || error.code === "RECORD_REFUSED" || error.code === "TARGET_CREDENTIALS")
  );
}
