import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anyServer, namedServer, type ServerArguments } from "../../../../src/cli/remote/server.js";

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "ek-server-"));
  await writeFile(join(cwd, "token"), "the-token\n");
  await writeFile(join(cwd, "my token"), "the-token\n");
  await writeFile(join(cwd, "empty"), "\n");
  await writeFile(join(cwd, "ca.pem"), "-----BEGIN CERTIFICATE-----\n");
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

const TOKEN = { ELASTICKV_RESTORE_TOKEN: "of-the-environment" };

async function named(server: string, more: Partial<ServerArguments> = {}, env: Record<string, string> = TOKEN) {
  return await namedServer({ server, ...more }, { cwd, env: { XDG_STATE_HOME: "/state", ...env } });
}

describe("an address", () => {
  it.each([
    ["local", "unix:/state/elastickv-restore/daemon.sock"],
    ["unix:/run/d.sock", "unix:/run/d.sock"],
    ["unix:///run/d.sock", "unix:/run/d.sock"],
    ["/run/d.sock", "unix:/run/d.sock"],
    ["http://127.0.0.1:7070", "http://127.0.0.1:7070"],
    ["http://[::1]:7070/", "http://[::1]:7070"],
    ["http://localhost:7070", "http://localhost:7070"],
    ["https://restore.example", "https://restore.example"],
  ])("%s is %s", async (given, name) => {
    expect((await named(given)).name).toBe(name);
  });

  it("without a scheme from the working folder on is a socket there", async () => {
    expect((await named("unix:d.sock")).at).toEqual({ kind: "socket", path: join(cwd, "d.sock") });
  });

  it.each(["", "unix:", "restore.example:7070", "ftp://h", "https://h/v1", "https://h/?q", "d.sock"])(
    "cannot be %j",
    async (given) => {
      await expect(named(given)).rejects.toMatchObject({ code: "USAGE", message: `--server does not take "${given}"` });
    },
  );

  it.each(["http://10.0.0.5:7070", "http://restore.example", "http://127.0.0.1.example"])(
    "%s would send the token in clear, and is refused",
    async (given) => {
      await expect(named(given)).rejects.toMatchObject({ code: "USAGE", message: expect.stringContaining("in clear") });
    },
  );

  it("with a password is refused and not repeated", async () => {
    const error = await named("https://u:hidden@h").catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ code: "SECRET_ON_COMMAND_LINE" });
    expect(String(error)).not.toContain("hidden");
  });
});

describe("the token", () => {
  it("comes from the file rather than from the environment", async () => {
    expect((await named("https://h", { tokenFile: "token" })).token).toBe("the-token");
    expect((await named("https://h")).token).toBe("of-the-environment");
  });

  it("of the environment is not shown to a socket, which needs none; one that is named is", async () => {
    expect((await named("local")).token).toBeUndefined();
    expect((await named("local", { tokenFile: "token" })).token).toBe("the-token");
  });

  it.each([
    [{}, {}, "wants a token"],
    [{ tokenFile: "empty" }, TOKEN, "--token-file empty holds no token"],
    [{ tokenFile: "none" }, TOKEN, "cannot be read"],
    [{}, { ELASTICKV_RESTORE_TOKEN: "two words" }, "ELASTICKV_RESTORE_TOKEN holds no token"],
  ])("that is none is told: %j", async (args, env, what) => {
    await expect(named("https://h", args, env)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining(what),
    });
  });
});

it("an authority is for https alone, and has to be one", async () => {
  expect((await named("https://h", { serverCa: "ca.pem" })).ca).toContain("BEGIN CERTIFICATE");
  await expect(named("https://h", { serverCa: "token" })).rejects.toMatchObject({ code: "USAGE" });
  await expect(named("http://127.0.0.1:1", { serverCa: "ca.pem" })).rejects.toMatchObject({ code: "USAGE" });
});

it("commands that are told to people find the same daemon", async () => {
  const { option } = await named("https://h", { tokenFile: "my token", serverCa: "ca.pem" });
  expect(option).toBe(" --server https://h --token-file 'my token' --server-ca ca.pem");
  expect((await named("local", { stateDir: "/else" })).option).toBe(" --server local --state-dir /else");
});

it("the environment names a daemon only to commands that have nothing to do without one", async () => {
  const io = (env: Record<string, string>) => ({ cwd, env: { XDG_STATE_HOME: "/state", ...env } });
  const elsewhere = { ELASTICKV_RESTORE_SERVER: "unix:/run/d.sock" };
  expect((await anyServer({}, io({}))).name).toBe("unix:/state/elastickv-restore/daemon.sock");
  expect((await anyServer({}, io(elsewhere))).name).toBe("unix:/run/d.sock");
  expect((await anyServer({ server: "/other" }, io(elsewhere))).name).toBe("unix:/other");
});

it("a state folder is no business of a daemon at another place", async () => {
  await expect(named("/run/d.sock", { stateDir: "/else" })).rejects.toMatchObject({ code: "USAGE" });
});
