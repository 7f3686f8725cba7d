/** What must not be told on by the output of an operator's command. */
import type { TargetSettings } from "../targets.js";

const HIDDEN = "[redacted]";
/** Shorter text would be found by chance. */
const SHORTEST = 6;
const SECRET_NAME = /SECRET|PASSWORD|PASSWD|TOKEN|PRIVATE|CREDENTIAL|API_?KEY/i;

/** Values that are secret by where they come from, longest first. */
export function secretsOf(
  targets: TargetSettings,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const { dynamodb, s3, sqs, redis } = targets;
  const keys = [dynamodb, s3, sqs].flatMap((target) => [
    target?.credentials?.secretAccessKey,
    target?.credentials?.sessionToken,
  ]);
  const named = Object.entries(env).flatMap(([name, value]) => (SECRET_NAME.test(name) ? [value] : []));
  const all = [...keys, redis?.access?.password, ...named].filter((value) => value !== undefined);
  return [...new Set(all.filter((value) => value.length >= SHORTEST))].sort((a, b) => b.length - a.length);
}

export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const hidden = secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text);
  // A password in a URL is one whoever it belongs to.
  return hidden.replace(/(\/\/[^/@\s:]*:)[^/@\s]+@/g, `$1${HIDDEN}@`);
}
