import { describe, expect, it } from "vitest";

import { RestoreError } from "../../../../src/errors/restore-error.js";
import { ConnectionLost, classifyRedisError } from "../../../../src/replayers/redis/classify-error.js";

const classify = (error: unknown) => classifyRedisError(error, "SET", { endpoint: "redis://host:1" });
const reply = (text: string) => classify(Object.assign(new Error(text), { name: "ReplyError" }));
const system = (code: string) => Object.assign(new Error(code), { code });

describe("answers of the server", () => {
  it.each([
    "LOADING Redis is loading the dataset in memory",
    "BUSY Redis is busy running a script.",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "ERR Script attempted to access a non local key in a cluster node script: 0a1b, on @user_script:3.",
    "ERR max number of clients reached",
    "ERR leader redis address unknown for n1",
    "write conflict",
  ])("that pass: %s", (text) => {
    expect(reply(text)).toMatchObject({ code: "THROTTLED", retry: "yes", reason: "throttled" });
  });

  it.each([
    "READONLY You can't write against a read only replica.",
    "MASTERDOWN Link with MASTER is down",
    "CLUSTERDOWN The cluster is down",
  ])("of a failover: %s", (text) => {
    expect(reply(text)).toMatchObject({ code: "CONNECTION", retry: "yes", reason: "not-sent" });
  });

  it("that redirect end the run where nobody knows of a cluster", () => {
    expect(reply("MOVED 3999 127.0.0.1:6381")).toMatchObject({ code: "TARGET_UNFIT", retry: "fatal" });
  });

  it.each([
    "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    "@user_script: 48: -OOM command not allowed when used memory > 'maxmemory'.\r\n",
    "ERR Error running script (call to f_0a1b2c): @user_script:12: @user_script: 12: -OOM command not allowed",
    "OOM command not allowed script: 0a1b2c, on @user_script:12.",
  ])("that a script met, as old and new servers frame them: %j", (text) => {
    expect(reply(text)).toMatchObject({ code: "TARGET_FULL", retry: "fatal" });
  });

  it("that leave the write in doubt are no plain throttling", () => {
    expect(reply("context deadline exceeded")).toMatchObject({ retry: "yes", reason: "reply-lost" });
  });

  it.each(["OOM command not allowed when used memory > 'maxmemory'.", "MISCONF Redis is configured to save RDB"])(
    "of a full target: %s",
    (text) => {
      expect(reply(text)).toMatchObject({ code: "TARGET_FULL", retry: "fatal" });
    },
  );

  it.each([
    "NOAUTH Authentication required.",
    "WRONGPASS invalid username-password pair or user is disabled.",
    "NOPERM this user has no permissions to run the 'set' command",
    "ERR invalid password",
  ])("that refuse the user: %s", (text) => {
    expect(reply(text)).toMatchObject({ code: "TARGET_CREDENTIALS", retry: "fatal" });
  });

  it.each([
    ["WRONGTYPE Operation against a key", "wrong-type"],
    ["INVALIDOBJ Corrupted HLL object detected", "invalid-sketch"],
    ['list "L" exceeds 100000 items: collection too large', "collection-too-large"],
    ["ERR Protocol error: invalid bulk length", "value-too-large"],
    ["marshaled request too large", "value-too-large"],
    ["string field contains invalid UTF-8", "not-utf8"],
    ["ERR The ID specified in XADD is equal or smaller than the target stream top item", "id-below-top"],
    ["ERR value is not a valid float", "invalid-score"],
    ["ERR unsupported command 'XSETID'", "command-missing"],
    ["BUSYKEY Target key name already exists.", "refused-by-target"],
  ])("that refuse the record: %s", (text, reason) => {
    expect(reply(text)).toMatchObject({ code: "RECORD_REFUSED", retry: "no", reason });
  });

  it("are not misread by a key that they quote", () => {
    for (const key of ["write conflict", "deadline exceeded", "AUTH", "invalid UTF-8"]) {
      expect(reply(`list "${key}" exceeds 100000 items: collection too large`).reason).toBe("collection-too-large");
    }
  });

  it("are quoted without the keys and values in them, printable", () => {
    expect(reply('list "my\nkey" exceeds 1').message).toBe('list "…" exceeds 1');
    expect(reply("ERR \u001b[31m odd").message).not.toContain("\u001b");
  });
});

describe("lost connections", () => {
  it("before sending leave the request repeatable", () => {
    const error = classify(new ConnectionLost(false, system("ECONNREFUSED")));
    expect(error).toMatchObject({ code: "CONNECTION", retry: "yes", reason: "not-sent" });
    expect(error.message).toContain("ECONNREFUSED");
  });

  it("after sending leave the answer unknown", () => {
    expect(classify(new ConnectionLost(true))).toMatchObject({
      code: "CONNECTION",
      retry: "yes",
      reason: "reply-lost",
    });
  });

  it("for want of trust are not retried", () => {
    const error = classify(new ConnectionLost(false, system("DEPTH_ZERO_SELF_SIGNED_CERT")));
    expect(error).toMatchObject({ code: "TARGET_UNREACHABLE", retry: "fatal" });
  });
});

it("RestoreErrors pass unchanged, and anything else is a failed call", () => {
  const known = new RestoreError("INTERNAL", "x");
  expect(classify(known)).toBe(known);
  expect(classify(new TypeError("odd"))).toMatchObject({ code: "CALL_FAILED", reason: "unexpected-error" });
});
