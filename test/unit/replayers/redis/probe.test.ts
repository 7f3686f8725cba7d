import { describe, expect, it } from "vitest";

import { abilitiesOf, parseInfo } from "../../../../src/replayers/redis/probe.js";

const REDIS = "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n";
const ELASTICKV = "# Server\r\nredis_version:7.2.0\r\nrole:master\r\nraft_leader_redis:127.0.0.1:6379\r\n";
const ALL = new Set([
  "eval",
  "getex",
  "pexpireat",
  "xsetid",
  "xgroup",
  "pfmerge",
  "persist",
  "unlink",
  "scan",
  "dbsize",
]);
const of = (info: string, commands: ReadonlySet<string> | undefined = ALL) => abilitiesOf(parseInfo(info), commands);

describe("what a target can do", () => {
  it("is all, with no way round, on Redis", () => {
    expect(of(REDIS)).toMatchObject({
      server: "Redis 7.0.15",
      elastickv: false,
      listable: true,
      absoluteTimes: true,
      fallbacks: [],
    });
  });

  it("is recognised as elastickv by its leader's line, though it calls itself Redis 7.2", () => {
    const abilities = of(ELASTICKV);
    expect(abilities).toMatchObject({
      server: "elastickv",
      listable: false,
      absoluteTimes: false,
      xsetid: false,
      sketches: false,
      utf8Only: true,
      flushesAll: false,
    });
    expect(abilities.fallbacks.length).toBeGreaterThan(5);
  });

  it.each(["", "dragonfly:1\r\n", "redis_version:6.0.0\r\n"])(
    "is never listed when it is not recognised (%j)",
    (info) => {
      expect(of(info)).toMatchObject({ elastickv: false, listable: false, flushesAll: true });
    },
  );

  it("goes by the commands, not by the version", () => {
    const old = new Set([...ALL].filter((name) => name !== "getex" && name !== "xsetid"));
    const abilities = of(REDIS, old);
    expect(abilities).toMatchObject({ absoluteTimes: false, xsetid: false, listable: true });
    expect(abilities.fallbacks).toHaveLength(2);
    expect(of(REDIS, new Set(["eval"]))).toMatchObject({ listable: false });
  });

  it("is taken from the kind of server when it does not tell its commands", () => {
    expect(abilitiesOf(parseInfo(REDIS), undefined)).toMatchObject({ listable: true, absoluteTimes: true });
    expect(abilitiesOf(parseInfo("odd:1"), undefined)).toMatchObject({ listable: false, absoluteTimes: false });
  });

  it("names Valkey", () => {
    expect(of(`${REDIS}valkey_version:8.1.0\r\n`).server).toBe("Valkey 8.1.0");
  });

  it("warns of eviction only with a limit and a policy that drops", () => {
    const limited = REDIS.replace("maxmemory:0", "maxmemory:1000");
    expect(of(limited).evicts).toBeUndefined();
    expect(of(REDIS.replace("noeviction", "allkeys-lru")).evicts).toBeUndefined();
    expect(of(limited.replace("noeviction", "allkeys-lru")).evicts).toContain("allkeys-lru");
  });
});
