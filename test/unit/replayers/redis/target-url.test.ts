import { describe, expect, it } from "vitest";

import { nodeOptions, parseRedisUrl } from "../../../../src/replayers/redis/target-url.js";

describe("a Redis URL", () => {
  it("gives host and port, and is shown without user and password", () => {
    const { label, options } = parseRedisUrl("redis://us%40er:p%3Aw@host:6400/3");
    expect(label).toBe("redis://host:6400");
    expect(options).toMatchObject({ host: "host", port: 6400, username: "us@er", password: "p:w" });
    expect(options).not.toHaveProperty("db");
    expect(options).not.toHaveProperty("tls");
  });

  it("takes a password alone, the default port and an IPv6 address", () => {
    const { label, options } = parseRedisUrl("redis://:secret@[::1]");
    expect(label).toBe("redis://[::1]:6379");
    expect(options).toMatchObject({ host: "::1", port: 6379, password: "secret" });
    expect(options).not.toHaveProperty("username");
  });

  it("takes TLS", () => {
    expect(parseRedisUrl("rediss://host").options).toMatchObject({ host: "host", tls: { servername: "host" } });
  });

  it.each(["127.0.0.1", "[::1]"])("takes TLS to the address %s, which is no server name", (address) => {
    expect(parseRedisUrl(`rediss://${address}`).options.tls).toEqual({});
  });

  it.each(["unix:///run/redis%20a.sock", "redis+unix:///run/redis%20a.sock"])("takes the socket of %s", (url) => {
    expect(parseRedisUrl(url).options).toMatchObject({ path: "/run/redis a.sock" });
  });

  it.each([
    ["redis+cluster://us:p%2Cw@a:1,b:2,[::1]", "redis+cluster://a:1,b:2,[::1]:6379", ["a:1", "b:2", "[::1]:6379"]],
    ["rediss+cluster://a", "rediss+cluster://a:6379", ["a:6379"]],
  ])("of a cluster names some of its nodes: %s", (url, label, seeds) => {
    const address = parseRedisUrl(url);
    expect(address).toMatchObject({ label, seeds, cluster: true });
    expect(address.options.tls === undefined).toBe(!url.startsWith("rediss"));
    const next = nodeOptions(address.options, { host: "10.0.0.7", port: 7000 });
    expect(next).toMatchObject({ host: "10.0.0.7", port: 7000, autoResendUnfulfilledCommands: false });
    expect(next.tls?.servername).toBeUndefined();
    expect(next.password).toBe(address.options.password);
  });

  it("never lets the client resend or reconnect by itself", () => {
    const { options } = parseRedisUrl("redis://host");
    expect(options).toMatchObject({
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      protocol: 2,
    });
    expect(options.retryStrategy?.(1)).toBeNull();
  });

  it.each([
    "host:6379",
    "http://host",
    "redis+cluster://",
    "redis+cluster://a,b:x",
    "redis+cluster://a,,b",
    "unix://relative.sock",
    "unix:///",
    "redis://",
    "redis://:%zz@host",
    "no url",
  ])("that is %s is refused without being quoted", (url) => {
    expect(() => parseRedisUrl(url)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }) as Error);
    expect(() => parseRedisUrl(url.replace("host", "secret"))).toThrow(/^(?!.*secret)/);
  });
});
