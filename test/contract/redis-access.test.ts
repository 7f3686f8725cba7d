/** How a Redis is reached: TLS, users with few rights, sockets. On real servers, through the whole command line. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { NativeServer } from "../../testcontainers/native.js";
import { freePort } from "../../testcontainers/ports.js";
import { startNativeRedis } from "../../testcontainers/redis.js";
import { type Authority, type Certificate, HAS_OPENSSL, newAuthority } from "../support/certificates.js";
import { temporaryDump } from "../support/dump-builder.js";
import { onlooker } from "../support/redis-restore.js";
import { runCli } from "../support/run-cli.js";

const SECRET = "p@ss:w/o?r#d %41 'ü";

let folder: string;
let dump: Awaited<ReturnType<typeof temporaryDump>>;
let server: NativeServer;
let admin: Redis;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "elastickv restore access "));
  dump = await temporaryDump({
    files: {
      "redis/db_0/strings/app%3Agreeting.bin": "hello",
      "redis/db_0/lists/app%3Alist.json": { format_version: 1, items: ["a", "b"] },
      "redis/db_0/sets/app%3Aset.json": { format_version: 1, members: ["a", "b"] },
    },
  });
  server = await startNativeRedis(["--unixsocket", join(folder, "a socket")]);
  url = `redis://127.0.0.1:${server.port}`;
  admin = onlooker(url);
}, 300_000);

afterAll(async () => {
  admin?.disconnect();
  await server?.stop();
  await dump?.remove();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  await admin.flushall();
});

/** No output may hold the password. */
async function apply(env: Readonly<Record<string, string>>, ...more: string[]) {
  const result = await runCli(["apply", dump.path, "--max-retry-time", "1s", ...more], env);
  for (const text of [result.stdout, result.stderr]) {
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(encodeURIComponent(SECRET));
  }
  return result;
}

async function refused(env: Readonly<Record<string, string>>, words: RegExp, ...more: string[]): Promise<void> {
  const { status, stderr } = await apply(env, ...more);
  expect(status, stderr).toBe(5);
  expect(stderr).toMatch(words);
}

describe("a user with few rights", () => {
  /** The line that the documentation gives. */
  const RIGHTS =
    "+ping +select +info +command +eval +dbsize +type +exists +del +rename +pexpire +pexpireat +persist +pttl " +
    "+set +get +strlen +getrange +rpush +llen +lrange +hset +hget +hmget +hlen +sadd +scard +sismember " +
    "+zadd +zcard +zscore +xadd +xlen +xrange +xrevrange +xinfo +xgroup +xsetid +pfadd +pfcount +pfmerge";
  const user = { REDIS_URL: "", REDIS_PASSWORD: SECRET };

  async function grant(...rules: string[]): Promise<Record<string, string>> {
    await admin.acl("SETUSER", "restore", "reset", "on", `>${SECRET}`, ...rules);
    return { ...user, REDIS_URL: url.replace("://", "://restore@") };
  }

  it.each(["merge", "skip-existing"])("restores with the documented rights on the dump's keys: %s", async (mode) => {
    const env = await grant("~app:*", "~elastickv-restore:*", ...RIGHTS.split(" "));
    const { status, stderr } = await apply(env, "--mode", mode);
    expect(status, stderr).toBe(0);
    expect((await admin.keys("*")).sort()).toEqual(["app:greeting", "app:list", "app:set"]);
  });

  it.each([
    ["flush", "+flushdb"],
    ["per-key", "+scan +unlink"],
  ])("replaces by %s with %s besides, and keeps what is there without", async (strategy, more) => {
    await admin.set("app:old", "v");
    const rules = ["~app:*", "~elastickv-restore:*", ...RIGHTS.split(" ")];
    const replace = ["--mode", "replace", "--yes", "--replace-strategy", strategy];
    const word = strategy === "flush" ? /may not use FLUSHDB/ : /may not use SCAN, UNLINK/;
    await refused(await grant(...rules), word, ...replace);
    expect(await admin.keys("*")).toEqual(["app:old"]);
    const { status, stderr } = await apply(await grant(...rules, ...more.split(" ")), ...replace);
    expect(status, stderr).toBe(0);
    expect(await admin.exists("app:old")).toBe(0);
  });

  it.each(RIGHTS.split(" ").filter((right) => !["+info", "+command", "+select", "+ping"].includes(right)))(
    "that lacks %s is told its name before anything is written",
    async (right) => {
      const env = await grant("~app:*", "~elastickv-restore:*", ...RIGHTS.split(" "), right.replace("+", "-"));
      await refused(env, new RegExp(`\\b${right.slice(1)}\\b`, "i"), "--progress", "none");
      expect(await admin.dbsize()).toBe(0);
    },
  );

  it("that may not touch a key of the dump is told before anything is written", async () => {
    const env = await grant("~app:g*", "~app:l*", "~elastickv-restore:*", "+@all");
    await refused(env, /may not read and write "app:set"/);
    expect(await admin.dbsize()).toBe(0);
  });

  it("that may not touch temporary keys is told before anything is written", async () => {
    await refused(await grant("~app:*", "+@all"), /access one of the keys|may not use/);
    expect(await admin.dbsize()).toBe(0);
  });

  it("without INFO and COMMAND restores with less knowledge of the server, which the plan says", async () => {
    const env = await grant("~*", "+@all", "-info", "-command");
    const { status, stderr } = await apply(env);
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/does not answer INFO to this user/);
    expect(await admin.dbsize()).toBe(3);
  });

  it("with a wrong password or none is told so", async () => {
    const env = await grant("~*", "+@all");
    await refused({ ...env, REDIS_PASSWORD: `${SECRET}!` }, /did not accept the credentials .*WRONGPASS/);
    await admin.config("SET", "requirepass", SECRET);
    try {
      await refused({ REDIS_URL: url }, /did not accept the credentials .*NOAUTH/);
      expect((await apply({ REDIS_URL: url, REDIS_PASSWORD: SECRET })).status).toBe(0);
    } finally {
      await admin.config("SET", "requirepass", "");
    }
  });
});

describe("a server that takes no writes", () => {
  it("because too few replicas are connected is told before anything is emptied", async () => {
    await admin.set("old", "v");
    await admin.config("SET", "min-replicas-to-write", "1");
    try {
      await refused({ REDIS_URL: url }, /min-replicas-to-write/, "--mode", "replace", "--yes");
      expect(await admin.get("old")).toBe("v");
    } finally {
      await admin.config("SET", "min-replicas-to-write", "0");
    }
  });

  it("because it is a replica is refused by name", async () => {
    const replica = await startNativeRedis(["--replicaof", "127.0.0.1", String(server.port)]);
    try {
      await refused({ REDIS_URL: `redis://127.0.0.1:${replica.port}` }, /is a replica and takes no writes/);
    } finally {
      await replica.stop();
    }
  });
});

describe("a socket", () => {
  it("is reached at a path with a space, with a password", async () => {
    await admin.config("SET", "requirepass", SECRET);
    try {
      const { status, stderr } = await apply({ REDIS_URL: `unix://${folder}/a socket`, REDIS_PASSWORD: SECRET });
      expect(status, stderr).toBe(0);
    } finally {
      await admin.config("SET", "requirepass", "");
    }
    expect(await admin.get("app:greeting")).toBe("hello");
  });

  it("that is not there is named", async () => {
    await refused({ REDIS_URL: `unix://${folder}/none` }, /none cannot be reached \(ENOENT\)/);
  });

  it("by a relative path is refused", async () => {
    const { status, stderr } = await apply({ REDIS_URL: "unix:a.sock" });
    expect([status, stderr]).toEqual([2, expect.stringContaining("no absolute socket path")]);
  });
});

describe.skipIf(!HAS_OPENSSL)("TLS (needs openssl)", () => {
  let authority: Authority;
  let own: Certificate;
  const started: NativeServer[] = [];

  beforeAll(async () => {
    authority = await newAuthority();
    own = await authority.issue("DNS:localhost,IP:127.0.0.1,IP:::1");
  }, 60_000);

  afterAll(async () => {
    for (const each of started) await each.stop();
    await authority?.remove();
  });

  async function startTls({ cert, key }: Certificate, clients = "no", ...addresses: string[]) {
    const port = await freePort();
    const files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", authority.ca];
    const more = ["--tls-port", String(port), "--tls-auth-clients", clients, "--bind", "127.0.0.1", ...addresses];
    const tls = await startNativeRedis([...files, ...more]);
    started.push(tls);
    return { port, plain: `redis://127.0.0.1:${tls.port}` };
  }

  /** Arguments that name the server and trust the authority. */
  async function target(redisUrl: string, tls: Record<string, string> = { ca: authority.ca }): Promise<string[]> {
    const path = join(folder, "config.yaml");
    await writeFile(path, JSON.stringify({ targets: { t: { redis: { url: redisUrl, tls } } } }));
    return ["--config", path, "--target", "t"];
  }

  async function held(plain: string): Promise<number> {
    const client = onlooker(plain);
    const count = await client.dbsize();
    client.disconnect();
    return count;
  }

  it.each(["localhost", "127.0.0.1", "[::1]"])("with an authority of its own restores by the name %s", async (host) => {
    const { port, plain } = await startTls(own, "no", "-::1");
    const { status, stderr } = await apply({}, ...(await target(`rediss://${host}:${port}`)));
    expect(status, stderr).toBe(0);
    expect(await held(plain)).toBe(3);
  });

  it("of an authority that is not trusted is refused with the way to trust it", async () => {
    const { port, plain } = await startTls(own);
    await refused({ REDIS_URL: `rediss://localhost:${port}` }, /no authority that is trusted.*\n.*NODE_EXTRA_CA_CERTS/);
    expect(await held(plain)).toBe(0);
  });

  it("with a certificate for another host is refused", async () => {
    const { port, plain } = await startTls(await authority.issue("DNS:elsewhere.example"));
    await refused({}, /for another host name/, ...(await target(`rediss://localhost:${port}`)));
    expect(await held(plain)).toBe(0);
  });

  it("with a certificate that has expired is refused", async () => {
    const { port, plain } = await startTls(await authority.issue("DNS:localhost", -1));
    await refused({}, /certificate has expired/, ...(await target(`rediss://localhost:${port}`)));
    expect(await held(plain)).toBe(0);
  });

  it("that wants a certificate of the client gets the named target's, and is told of when there is none", async () => {
    const { port } = await startTls(own, "yes");
    const redisUrl = `rediss://localhost:${port}`;
    await refused({}, /wants a certificate of the client.*\n.*cert: FILE/, ...(await target(redisUrl)));
    const { cert, key } = await authority.issue("DNS:client");
    const { status, stderr } = await apply({}, ...(await target(redisUrl, { ca: authority.ca, cert, key })));
    expect(status, stderr).toBe(0);
  });

  it("that the server speaks and the URL does not, or the other way round, is told with the right scheme", async () => {
    const { port } = await startTls(own);
    await refused({ REDIS_URL: `redis://localhost:${port}` }, /speaks TLS only\n.*rediss:\/\//);
    await refused({ REDIS_URL: `rediss://localhost:${server.port}` }, /speaks no TLS\n.*redis:\/\//);
  }, 30_000);

  it("with a file that holds no certificate is refused before anything is asked", async () => {
    const file = join(folder, "no certificate");
    await writeFile(file, "nothing");
    const { status, stderr } = await apply({}, ...(await target("rediss://localhost:1", { cert: file, key: file })));
    expect([status, stderr]).toEqual([2, expect.stringContaining("TLS files")]);
    const plain = await apply({}, ...(await target("redis://localhost:1")));
    expect([plain.status, plain.stderr]).toEqual([2, expect.stringContaining("rediss://")]);
  });
});
