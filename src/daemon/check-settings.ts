/**
 * What no schema sees in the settings: names that lead nowhere, files that are not there, secrets that are none. All
 * mistakes are told at once. Nothing is started here.
 */
import { lookup } from "node:dns/promises";
import { readFile, stat } from "node:fs/promises";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { messageOf, RestoreError, systemCode } from "../errors/restore-error.js";
import { nearest } from "../support/nearest.js";
import { SOCKET_CLIENT } from "./http/doorkeeper.js";
import { isLoopback } from "./http/hosts.js";
import type { TcpInit } from "./http/listeners.js";
import { digestOf, type Token } from "./http/tokens.js";
import { assertSocketFree } from "./http/unix-socket.js";
import { cronTimes } from "./schedules/cron-times.js";
import { assertPrivate, readSecret, type Surroundings } from "./secrets.js";
import type { DaemonSettings } from "./settings.js";

export interface Mistake {
  /** Below `daemon`. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** What the settings lead to, read and checked. */
export interface CheckedSettings {
  /** Absolute. */
  readonly socket?: string;
  readonly tcp?: TcpInit;
  readonly tokens: readonly Token[];
  /** Absolute folders by name. */
  readonly roots: Readonly<Record<string, string>>;
  /** Absolute files by name. */
  readonly assertions: Readonly<Record<string, string>>;
  /** Signing secrets of webhooks by name. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface CheckInit extends Surroundings {
  readonly settings: DaemonSettings;
  readonly stateDirectory: string;
  /** Names of the configuration's targets. */
  readonly targets: readonly string[];
}

export class SettingsFault extends Error {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super(mistakes.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`).join("\n"));
    this.name = "SettingsFault";
    this.mistakes = mistakes;
  }
}

/** @throws SettingsFault with every mistake */
export async function checkSettings(init: CheckInit): Promise<CheckedSettings> {
  const { settings, cwd } = init;
  const mistakes: Mistake[] = [];
  const note = (path: readonly PropertyKey[], error: unknown) => mistakes.push({ path, message: messageOf(error) });
  const tokens = await readTokens(init, note);
  const secrets = await readSecrets(init, note);
  const roots = await checkedPaths("roots", settings.roots, { cwd, note, isFolder: true });
  const assertions = await checkedPaths("assertions", settings.assertions, { cwd, note, isFolder: false });
  for (const [name, schedule] of Object.entries(settings.schedules)) {
    for (const mistake of scheduleMistakes(schedule, init)) note(["schedules", name, ...mistake.path], mistake.message);
  }
  const socket = settings.socket === false ? undefined : resolve(cwd, settings.socket ?? defaultSocket(init));
  if (socket !== undefined) await checkSocket(socket, note);
  const tcp = settings.listen === undefined ? undefined : await checkedTcp(settings.listen, init, note);
  if (socket === undefined && settings.listen === undefined) note(["socket"], "without it, `listen` is needed");
  if (mistakes.length > 0) throw new SettingsFault(mistakes);
  return {
    tokens,
    secrets,
    roots,
    assertions,
    ...(socket === undefined ? {} : { socket }),
    ...(tcp === undefined ? {} : { tcp }),
  };
}

type Note = (path: readonly PropertyKey[], error: unknown) => void;

function defaultSocket({ stateDirectory }: CheckInit): string {
  return join(stateDirectory, "daemon.sock");
}

async function readTokens({ settings, ...around }: CheckInit, note: Note): Promise<Token[]> {
  const tokens: Token[] = [];
  for (const [at, { name, role, ...place }] of settings.tokens.entries()) {
    if (name === SOCKET_CLIENT.name) {
      note(["tokens", at, "name"], `whoever comes over the Unix socket is called "${name}": give it another name`);
    }
    try {
      const digest = digestOf(await readSecret(place, around));
      const same = tokens.find((token) => token.name === name || token.digest.equals(digest));
      if (same?.name === name) throw new Error(`two tokens are called "${name}"`);
      if (same !== undefined) throw new Error(`it has the same value as the token "${same.name}"`);
      tokens.push({ name, role, digest });
    } catch (error) {
      note(["tokens", at], error);
    }
  }
  return tokens;
}

async function readSecrets({ settings, ...around }: CheckInit, note: Note): Promise<Record<string, string>> {
  const secrets: Record<string, string> = {};
  for (const [name, { url, ...place }] of Object.entries(settings.webhooks)) {
    const { username, password } = new URL(url);
    if (username !== "" || password !== "") {
      note(["webhooks", name, "url"], "an address holds no credentials: the receiver checks the signature instead");
    }
    try {
      secrets[name] = await readSecret(place, around);
    } catch (error) {
      note(["webhooks", name], error);
    }
  }
  return secrets;
}

async function checkedPaths(
  section: "roots" | "assertions",
  paths: Readonly<Record<string, string>>,
  { cwd, note, isFolder }: { readonly cwd: string; readonly note: Note; readonly isFolder: boolean },
): Promise<Record<string, string>> {
  const checked: Record<string, string> = {};
  for (const [name, path] of Object.entries(paths)) {
    const absolute = resolve(cwd, path);
    checked[name] = absolute;
    const fault = await stat(absolute).then(
      (found) => (found.isDirectory() === isFolder ? undefined : `${path} is ${isFolder ? "no folder" : "a folder"}`),
      (error: unknown) => (systemCode(error) === "ENOENT" ? `${path} is not there` : messageOf(error)),
    );
    if (fault !== undefined) note([section, name], fault);
  }
  return checked;
}

function scheduleMistakes(
  { cron, timezone, root, target, notify, options }: DaemonSettings["schedules"][string],
  { settings, targets }: CheckInit,
): Mistake[] {
  const named = (path: readonly PropertyKey[], what: string, name: string, names: readonly string[]): Mistake[] => {
    if (names.includes(name)) return [];
    const near = nearest(name, names);
    return [
      { path, message: `no ${what} is called "${name}"${near.length === 0 ? "" : `; there are: ${near.join(", ")}`}` },
    ];
  };
  const assertions = "assertions" in options ? options.assertions : undefined;
  const deletes = "repair" in options && options.repair === true && options.mode === "replace";
  return [
    ...(deletes ? [{ path: ["options", "mode"], message: UNSEEN }] : []),
    ...cronMistakes(cron, timezone),
    ...named(["root"], "root", root, Object.keys(settings.roots)),
    ...(target === undefined ? [] : named(["target"], "target", target, targets)),
    ...notify.flatMap((name, at) => named(["notify", at], "webhook", name, Object.keys(settings.webhooks))),
    ...(assertions === undefined
      ? []
      : named(["options", "assertions"], "file of assertions", assertions, Object.keys(settings.assertions))),
  ];
}

/** By the clock nobody is there to see a plan of what is deleted, and to confirm it. */
const UNSEEN =
  "a repair on a schedule deletes nothing: leave `replace` out, and ask for such a repair where you see what it deletes";

function cronMistakes(cron: string, timezone: string): Mistake[] {
  const fault = (pattern: string, key: string): Mistake[] => {
    try {
      cronTimes(pattern, timezone);
      return [];
    } catch (error) {
      return [{ path: [key], message: messageOf(error) }];
    }
  };
  const zone = fault(ANY_PATTERN, "timezone");
  return zone.length > 0 ? zone : fault(cron, "cron");
}

const ANY_PATTERN = "* * * * *";

/** The default's folder is made with the state directory. */
async function checkSocket(path: string, note: Note): Promise<void> {
  try {
    await assertSocketFree(path);
  } catch (error) {
    if (!(error instanceof RestoreError)) throw error;
    note(["socket"], error);
  }
}

async function checkedTcp(
  listen: NonNullable<DaemonSettings["listen"]>,
  { settings, cwd }: CheckInit,
  note: Note,
): Promise<TcpInit | undefined> {
  const { host, port, hosts, tls: files } = listen;
  if (settings.tokens.length === 0) note(["listen"], "whoever may connect would be let in: give `tokens`");
  if (files === undefined && !(await isOfThisMachine(host))) {
    note(["listen", "host"], `${host} can be reached from elsewhere: give \`tls\`, or listen on 127.0.0.1`);
  }
  const tls = files === undefined ? undefined : await readTls(files, cwd, note);
  return { host, port, hosts, ...(tls === undefined ? {} : { tls }) };
}

/** A name other than `localhost` may lead elsewhere tomorrow. */
async function isOfThisMachine(host: string): Promise<boolean> {
  if (isIP(host) !== 0) return isLoopback(host);
  if (host !== "localhost") return false;
  const addresses = await lookup(host, { all: true }).catch(() => []);
  return addresses.length > 0 && addresses.every(({ address }) => isLoopback(address));
}

async function readTls(
  files: { readonly cert: string; readonly key: string },
  cwd: string,
  note: Note,
): Promise<{ readonly cert: Buffer; readonly key: Buffer } | undefined> {
  const read = async (name: "cert" | "key") => {
    const path = resolve(cwd, files[name]);
    try {
      if (name === "key") await assertPrivate(path);
      return await readFile(path);
    } catch (error) {
      note(["listen", "tls", name], systemCode(error) === "ENOENT" ? `${path} is not there` : error);
      return undefined;
    }
  };
  const [cert, key] = [await read("cert"), await read("key")];
  if (cert === undefined || key === undefined) return undefined;
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    note(["listen", "tls"], `certificate and key cannot be used: ${messageOf(error)}`);
  }
  return { cert, key };
}
