import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkSettings, SettingsFault } from "../../../src/daemon/check-settings.js";
import { daemonSchema } from "../../../src/daemon/settings.js";

const ENV = {
  GOOD: "a-token-of-enough-chars",
  OTHER: "another-token-of-those",
  SHORT: "too-short",
  ODD: "a token with blanks",
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ek-settings-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function check(settings: object) {
  return await checkSettings({
    settings: daemonSchema.parse(settings),
    stateDirectory: folder,
    targets: ["staging", "production"],
    env: ENV,
    cwd: folder,
  });
}

/** `tokens.0: what is wrong`, each. */
async function mistakes(settings: object): Promise<string[]> {
  const error: unknown = await check(settings).catch((thrown: unknown) => thrown);
  if (!(error instanceof SettingsFault)) throw new Error(`it was taken: ${String(error)}`);
  return error.message.split("\n");
}

const token = (place: object, name = "watcher") => ({ name, role: "read", ...place });

describe("settings that are in order", () => {
  it("lead to paths, secrets and a socket in the state directory", async () => {
    await writeFile(join(folder, "hook"), "a-signing-secret-long-enough\n", { mode: 0o600 });
    const checked = await check({
      tokens: [token({ env: "GOOD" })],
      roots: { here: "." },
      webhooks: { ops: { url: "https://h/x", file: "hook" } },
      listen: { port: 7070, hosts: ["restore.example"] },
    });
    expect(checked).toMatchObject({
      socket: join(folder, "daemon.sock"),
      roots: { here: folder },
      secrets: { ops: "a-signing-secret-long-enough" },
      tokens: [{ name: "watcher", role: "read" }],
      tcp: { host: "127.0.0.1", port: 7070, hosts: ["restore.example"] },
    });
    expect(JSON.stringify(checked.tokens)).not.toContain(ENV.GOOD);
  });
});

describe("a token", () => {
  it.each([
    [{ env: "NONE" }, "tokens.0: the variable NONE is not set"],
    [{ env: "SHORT" }, "tokens.0: what the variable SHORT holds is shorter than 16 characters"],
    [{ env: "ODD" }, "tokens.0: what the variable ODD holds has characters beside letters, digits and signs"],
  ])("from %j is refused without its value", async (place, mistake) => {
    expect(await mistakes({ tokens: [token(place)] })).toEqual([mistake]);
  });

  it("from a file that is missing or that others may read is refused", async () => {
    const path = join(folder, "token");
    expect(await mistakes({ tokens: [token({ file: path })] })).toEqual([`tokens.0: the file ${path} is not there`]);
    await writeFile(path, ENV.GOOD);
    for (const mode of [0o644, 0o604, 0o602, 0o620]) {
      await chmod(path, mode);
      const [mistake] = await mistakes({ tokens: [token({ file: path })] });
      expect(mistake).toContain("others than its owner and group may use the file");
    }
    await chmod(path, 0o640);
    expect((await check({ tokens: [token({ file: path })] })).tokens).toHaveLength(1);
  });

  it("are not called as whoever comes over the Unix socket is", async () => {
    expect(await mistakes({ tokens: [token({ env: "GOOD" }, "socket")] })).toEqual([
      'tokens.0.name: whoever comes over the Unix socket is called "socket": give it another name',
    ]);
  });

  it("with the name or the value of another one is refused", async () => {
    expect(await mistakes({ tokens: [token({ env: "GOOD" }), token({ env: "OTHER" })] })).toEqual([
      'tokens.1: two tokens are called "watcher"',
    ]);
    expect(await mistakes({ tokens: [token({ env: "GOOD" }), token({ env: "GOOD" }, "admin")] })).toEqual([
      'tokens.1: it has the same value as the token "watcher"',
    ]);
  });
});

describe("a place to listen", () => {
  const tokens = [token({ env: "GOOD" })];

  it("over TCP wants tokens", async () => {
    expect(await mistakes({ listen: { port: 1 } })).toEqual([
      "listen: whoever may connect would be let in: give `tokens`",
    ]);
  });

  it.each(["0.0.0.0", "::", "10.0.0.5", "restore.example"])("at %s wants TLS", async (host) => {
    const [mistake] = await mistakes({ tokens, listen: { host, port: 1 } });
    expect(mistake).toMatch(/^listen\.host: .* can be reached from elsewhere/);
  });

  it.each(["127.0.0.1", "127.0.0.9", "::1", "localhost"])("at %s wants none", async (host) => {
    expect((await check({ tokens, listen: { host, port: 1 } })).tcp).toMatchObject({ host });
  });

  it("with certificates that are missing, open or none is refused", async () => {
    const listen = { host: "0.0.0.0", port: 1, tls: { cert: "cert.pem", key: "key.pem" } };
    expect(await mistakes({ tokens, listen })).toEqual([
      `listen.tls.cert: ${join(folder, "cert.pem")} is not there`,
      `listen.tls.key: the file ${join(folder, "key.pem")} is not there`,
    ]);
    await writeFile(join(folder, "cert.pem"), "x");
    await writeFile(join(folder, "key.pem"), "x", { mode: 0o644 });
    expect((await mistakes({ tokens, listen })).join()).toContain("others than its owner");
    await chmod(join(folder, "key.pem"), 0o600);
    expect((await mistakes({ tokens, listen })).join()).toMatch(/listen\.tls: certificate and key cannot be used/);
  });

  it("has to be one at least", async () => {
    expect(await mistakes({ socket: false })).toEqual(["socket: without it, `listen` is needed"]);
  });

  it("on a socket whose path is too long, or where somebody listens, is refused", async () => {
    expect((await mistakes({ socket: join(folder, "x".repeat(100)) })).join()).toMatch(/bytes longer than/);
    const path = join(folder, "s");
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once("listening", resolve));
    expect((await mistakes({ socket: path })).join()).toMatch(/another process listens there/);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("a name that leads nowhere", () => {
  const schedule = { kind: "drill", cron: "0 3 * * *", root: "here" };

  it.each([
    [{ root: "hree" }, 'schedules.nightly.root: no root is called "hree"; there are: here'],
    [{ target: "stagin" }, 'schedules.nightly.target: no target is called "stagin"; there are: staging, production'],
    [{ notify: ["ops"] }, 'schedules.nightly.notify.0: no webhook is called "ops"'],
    [{ options: { assertions: "x" } }, 'schedules.nightly.options.assertions: no file of assertions is called "x"'],
    [
      { kind: "verify", target: "staging", options: { repair: true, mode: "replace" } },
      /^schedules\.nightly\.options\.mode: a repair on a schedule deletes nothing/,
    ],
    [{ cron: "61 * * * *" }, /^schedules\.nightly\.cron: it is no pattern/],
    [{ timezone: "Mars/Olympus" }, /^schedules\.nightly\.timezone: "Mars\/Olympus" is no time zone/],
  ])("in a schedule: %j", async (more, mistake) => {
    const [told] = await mistakes({ roots: { here: "." }, schedules: { nightly: { ...schedule, ...more } } });
    expect(told).toMatch(
      typeof mistake === "string" ? new RegExp(`^${mistake.replaceAll(/[.*]/g, "\\$&")}$`) : mistake,
    );
  });

  it.each(["https://us@h/x", "https://us:pw@h/x"])("in a webhook's address: %s", async (url) => {
    const [told] = await mistakes({ webhooks: { ops: { url, env: "GOOD" } } });
    expect(told).toMatch(/^webhooks\.ops\.url: an address holds no credentials/);
    expect(told).not.toMatch(/us@|pw/);
  });

  it("in roots and assertions", async () => {
    await writeFile(join(folder, "file"), "");
    const settings = { roots: { a: "none", b: "file" }, assertions: { c: ".", d: "none" } };
    expect(await mistakes(settings)).toEqual([
      "roots.a: none is not there",
      "roots.b: file is no folder",
      "assertions.c: . is a folder",
      "assertions.d: none is not there",
    ]);
  });
});
