/** Secrets that the configuration names by a variable or a file. */
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf, systemCode } from "../errors/restore-error.js";

export interface SecretPlace {
  readonly env?: string;
  readonly file?: string;
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From which relative paths count. */
  readonly cwd: string;
}

/** Below that, a secret can be guessed. */
const LEAST_CHARS = 16;
/** What a header can carry. */
const PRINTABLE = /^[\x21-\x7e]+$/;

/** @throws Error whose message says what is wrong with the place, and never holds the secret */
export async function readSecret({ env, file }: SecretPlace, around: Surroundings): Promise<string> {
  const value = env === undefined ? await fromFile(resolve(around.cwd, file ?? "")) : around.env[env];
  const where = env === undefined ? `the file ${file}` : `the variable ${env}`;
  if (value === undefined || value === "") throw new Error(`${where} is ${env === undefined ? "empty" : "not set"}`);
  if (value.length < LEAST_CHARS) throw new Error(`what ${where} holds is shorter than ${LEAST_CHARS} characters`);
  if (!PRINTABLE.test(value)) throw new Error(`what ${where} holds has characters beside letters, digits and signs`);
  return value;
}

async function fromFile(path: string): Promise<string> {
  await assertPrivate(path);
  return (await readFile(path, "utf8")).replace(/\r?\n$/, "");
}

/** Its group may read it: so are secrets handed to services. @throws Error whose message says what is wrong */
export async function assertPrivate(path: string): Promise<void> {
  const { mode } = await stat(path).catch((error: unknown) => {
    throw new Error(`the file ${path} ${systemCode(error) === "ENOENT" ? "is not there" : messageOf(error)}`);
  });
  if ((mode & 0o027) !== 0)
    throw new Error(`others than its owner and group may use the file ${path}: chmod 640 or less`);
}
