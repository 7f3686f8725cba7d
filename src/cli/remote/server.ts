/** Which daemon is meant, and what it takes to be let in: from `--server` and what stands beside it. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isLoopback } from "../../daemon/http/hosts.js";
import { messageOf, RestoreError } from "../../errors/restore-error.js";
import { present } from "../../support/present.js";
import type { Io } from "../io.js";
import { usage } from "../quantities.js";
import { type StateArguments, shellWord, stateDirectory, stateOption } from "../state-directory.js";

export interface ServerArguments extends StateArguments {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly serverCa?: string;
}

export interface Server {
  readonly at: { readonly kind: "socket"; readonly path: string } | { readonly kind: "tcp"; readonly url: URL };
  /** For messages: `unix:/run/…`, `https://host:port`. */
  readonly name: string;
  /** ` --server …` and what stands beside it, as a shell takes it, for commands that are told to people. */
  readonly option: string;
  readonly token?: string;
  /** PEM: the authorities that count, in place of the usual ones. */
  readonly ca?: string;
}

const LOCAL = "local";
const SERVER_VARIABLE = "ELASTICKV_RESTORE_SERVER";
const TOKEN_VARIABLE = "ELASTICKV_RESTORE_TOKEN";
/** The daemon's own name for its socket in the state directory. */
const SOCKET = "daemon.sock";
/** What a header can carry. */
const PRINTABLE = /^[\x21-\x7e]+$/;

type ServerIo = Pick<Io, "cwd" | "env">;

/** Of a command that has nothing to do without a daemon. @throws RestoreError of the class usage */
export async function anyServer(args: ServerArguments, io: ServerIo): Promise<Server> {
  const named = io.env[SERVER_VARIABLE];
  const server = args.server ?? (named === undefined || named === "" ? LOCAL : named);
  return await namedServer({ ...args, server }, io);
}

/** @throws RestoreError of the class usage */
export async function namedServer(args: ServerArguments & { readonly server: string }, io: ServerIo): Promise<Server> {
  const at = placeOf(args, io);
  if (args.server !== LOCAL && args.stateDir !== undefined) {
    throw new RestoreError("USAGE", "--state-dir cannot be given for a daemon at another place", {
      hint: "Leave it out: the daemon's own settings say where its jobs are remembered.",
    });
  }
  const name = at.kind === "socket" ? `unix:${at.path}` : at.url.origin;
  const [token, ca] = [await tokenFor(at, args, io), await authorities(at, args, io)];
  return { at, name, option: optionOf(args, io), ...present({ token, ca }) };
}

function placeOf({ server, ...args }: ServerArguments & { readonly server: string }, io: ServerIo): Server["at"] {
  if (server === LOCAL) return { kind: "socket", path: join(stateDirectory(args, io), SOCKET) };
  const path = server.startsWith("/") ? server : /^unix:(?:\/\/(?=\/))?(.+)$/s.exec(server)?.[1];
  if (path !== undefined) return { kind: "socket", path: resolve(io.cwd, path) };
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) throw noAddress(server);
  if (url.username + url.password !== "") {
    throw new RestoreError("SECRET_ON_COMMAND_LINE", "--server holds a user or a password", {
      hint: `A daemon takes a token: --token-file FILE, or ${TOKEN_VARIABLE}.`,
    });
  }
  if (`${url.pathname}${url.search}${url.hash}` !== "/") throw noAddress(server);
  if (url.protocol === "http:" && !isHere(url.hostname)) {
    throw new RestoreError("USAGE", `--server ${server} would send the token over the network in clear`, {
      hint: "Say https:// there; http:// is for this machine alone, as http://127.0.0.1:PORT.",
    });
  }
  return { kind: "tcp", url };
}

function noAddress(server: string): RestoreError {
  return usage(
    "--server",
    server,
    "local (the socket in the state folder), unix:/path/of.sock, http://127.0.0.1:PORT, or https://host:port",
  );
}

function isHere(host: string): boolean {
  return host === "localhost" || isLoopback(host.replaceAll(/[[\]]/g, ""));
}

/** The socket needs none: a token of the environment, which may be for another daemon, is not shown to it. */
async function tokenFor(
  at: Server["at"],
  { tokenFile }: ServerArguments,
  { cwd, env }: ServerIo,
): Promise<string | undefined> {
  const given = env[TOKEN_VARIABLE];
  const isGiven = tokenFile !== undefined || (given !== undefined && given !== "" && at.kind === "tcp");
  if (!isGiven) {
    if (at.kind === "socket") return undefined;
    throw new RestoreError("USAGE", `the daemon at ${at.url.origin} wants a token`, {
      hint: `Name the file that holds it with --token-file, or set ${TOKEN_VARIABLE}.`,
    });
  }
  const token = tokenFile === undefined ? given : await readText(resolve(cwd, tokenFile), "--token-file");
  if (token !== undefined && PRINTABLE.test(token.trim())) return token.trim();
  const where = tokenFile === undefined ? TOKEN_VARIABLE : `--token-file ${tokenFile}`;
  throw new RestoreError("USAGE", `${where} holds no token`, {
    hint: "A token is one word of letters, digits and signs.",
  });
}

async function authorities(
  at: Server["at"],
  { serverCa }: ServerArguments,
  { cwd }: ServerIo,
): Promise<string | undefined> {
  if (serverCa === undefined) return undefined;
  if (at.kind === "socket" || at.url.protocol === "http:") {
    throw new RestoreError("USAGE", "--server-ca is for a daemon at an https:// address", { hint: "Leave it out." });
  }
  const pem = await readText(resolve(cwd, serverCa), "--server-ca");
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new RestoreError("USAGE", `--server-ca ${serverCa} holds no certificate`, {
    hint: "Name a PEM file with the authority's certificate.",
  });
}

async function readText(path: string, option: string): Promise<string> {
  return await readFile(path, "utf8").catch((cause: unknown) => {
    throw new RestoreError("USAGE", `${option}: ${path} cannot be read: ${messageOf(cause)}`, {
      hint: "Name a file that can be read.",
      cause,
    });
  });
}

function optionOf({ server, tokenFile, serverCa, ...args }: ServerArguments & { server: string }, io: ServerIo) {
  return [
    ` --server ${shellWord(server)}`,
    server === LOCAL ? stateOption(args, io) : "",
    tokenFile === undefined ? "" : ` --token-file ${shellWord(tokenFile)}`,
    serverCa === undefined ? "" : ` --server-ca ${shellWord(serverCa)}`,
  ].join("");
}
