import { describe, expect, it } from "vitest";
import type { Command, Reply } from "../../../../../src/replayers/redis/connection.js";
import { RehearsalLink } from "../../../../../src/replayers/redis/foresee/rehearsal-link.js";
import type { Requests } from "../../../../../src/replayers/redis/link.js";
import { abilitiesOf } from "../../../../../src/replayers/redis/probe.js";

/** A target under whose every key stands a string, and what it was asked. */
function target() {
  const asked: string[] = [];
  const answer = ({ name }: Command): Reply => {
    asked.push(name);
    return name === "TYPE" ? Buffer.from("string") : null;
  };
  const link: Requests = {
    clustered: false,
    classify: () => {
      throw new Error("nothing is refused");
    },
    command: (name, args) => Promise.resolve(answer({ name, args })),
    request: ({ build }) => Promise.resolve(build().map(answer)),
  };
  const info = new Map([
    ["redis_version", "7.0.15"],
    ["run_id", "a"],
  ]);
  return { asked, context: { link, abilities: abilitiesOf(info, undefined) } };
}

const KEY = Buffer.from("k");

describe("a rehearsed write", () => {
  it.each(["SET", "DEL", "HSET", "RPUSH", "XADD", "PEXPIRE", "PERSIST", "XSETID"])(
    "of %s reaches no target",
    async (name) => {
      const { asked, context } = target();
      await new RehearsalLink(context, true).command(name, [KEY, "1-1", "a", "b"]);
      expect(asked).toEqual([]);
    },
  );

  it.each(["LPUSH", "FLUSHDB", "RENAME", "GETDEL"])(
    "of %s, which nobody rehearsed, reaches no target either",
    async (name) => {
      const { asked, context } = target();
      const link = new RehearsalLink(context, false);
      await expect(link.command(name, [KEY])).rejects.toMatchObject({ code: "INTERNAL" });
      await expect(link.request({ build: () => [{ name, args: [KEY] }] })).rejects.toMatchObject({ code: "INTERNAL" });
      await expect(link.command("EVAL", ["return 1", "1", KEY])).rejects.toMatchObject({ code: "INTERNAL" });
      expect(asked).toEqual([]);
    },
  );

  it("is remembered in what is asked after it", async () => {
    const { context } = target();
    const link = new RehearsalLink(context, false);
    expect(String(await link.command("TYPE", [KEY]))).toBe("string");
    await link.command("DEL", [KEY]);
    expect([String(await link.command("TYPE", [KEY])), await link.command("EXISTS", [KEY])]).toEqual(["none", 0]);
    await link.command("XADD", [KEY, "5-1", "a", "b"]);
    expect(String(await link.command("TYPE", [KEY]))).toBe("stream");
    const [, last] = (await link.command("XINFO", ["STREAM", KEY])) as readonly Reply[];
    expect(String(last)).toBe("5-1");
  });

  it("asks nothing of a target that is emptied before", async () => {
    const { asked, context } = target();
    const link = new RehearsalLink(context, true);
    expect(String(await link.command("TYPE", [KEY]))).toBe("none");
    expect(await link.command("XRANGE", [KEY, "-", "+"])).toEqual([]);
    expect(asked).toEqual([]);
  });
});
