/** The protocol's bytes, however they are cut. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeAround, encodeCommands, type Reply, ReplyReader } from "../../../../src/replayers/redis/resp.js";

const bytes = (commands: Parameters<typeof encodeCommands>[0]): string =>
  Buffer.concat(encodeCommands(commands)).toString("latin1");

describe("commands", () => {
  it("hold their arguments' bytes, whatever they are", () => {
    const argument = Buffer.from([0, 13, 10, 255]);
    expect(bytes([{ name: "SET", args: ["ä", argument, ""] }])).toBe(
      `*4\r\n$3\r\nSET\r\n$2\r\n${Buffer.from("ä").toString("latin1")}\r\n$4\r\n${argument.toString("latin1")}\r\n$0\r\n\r\n`,
    );
  });

  it("take packed arguments behind the others", () => {
    const packed = { bytes: Buffer.from("--ab-cd"), ranges: Uint32Array.of(2, 4, 5, 7, 1, 1) };
    expect(bytes([{ name: "RPUSH", args: ["k"], packed }])).toBe(
      "*5\r\n$5\r\nRPUSH\r\n$1\r\nk\r\n$2\r\nab\r\n$2\r\ncd\r\n$0\r\n\r\n",
    );
  });

  it("take still more behind those, packed or not", () => {
    const packed = { bytes: Buffer.from("abcd"), ranges: Uint32Array.of(0, 1, 1, 3) };
    const more = [{ args: ["x"], packed }, { args: [] }, { args: ["y", "z"] }];
    expect(
      bytes([
        { name: "EVAL", args: ["s"], more },
        { name: "PING", args: [] },
      ]),
    ).toBe(
      "*7\r\n$4\r\nEVAL\r\n$1\r\ns\r\n$1\r\nx\r\n$1\r\na\r\n$2\r\nbc\r\n$1\r\ny\r\n$1\r\nz\r\n*1\r\n$4\r\nPING\r\n",
    );
  });

  it("are the same bytes in one buffer and over many", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 12 }), { maxLength: 8 }),
        (lists) => {
          const commands = lists.map((sizes) => ({ name: "X", args: sizes.map((size) => Buffer.alloc(size, "x")) }));
          const expected = lists.map(
            (sizes) =>
              `*${sizes.length + 1}\r\n$1\r\nX\r\n${sizes.map((size) => `$${size}\r\n${"x".repeat(size)}\r\n`).join("")}`,
          );
          expect(bytes(commands) === expected.join("")).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("leave room for an argument that follows by hand", () => {
    const { header, trailer } = encodeAround({ name: "SET", args: ["k", "PXAT", "12"] }, { index: 1, size: 1234567 });
    expect(header.toString()).toBe("*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1234567\r\n");
    expect(trailer.toString()).toBe("\r\n$4\r\nPXAT\r\n$2\r\n12\r\n");
  });
});

describe("replies", () => {
  const TEXT =
    "+OK\r\n:-12\r\n$-1\r\n$5\r\na\r\nbc\r\n-ERR no\r\n*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*-1\r\n-WRONGTYPE of it\r\n*0\r\n+QUEUED\r\n$0\r\n\r\n:9007199254740991\r\n";
  const EXPECTED = [
    "OK",
    -12,
    null,
    "a\r\nbc",
    "!ERR no",
    [1, ["x", null], "!WRONGTYPE of it"],
    [],
    "QUEUED",
    "",
    9007199254740991,
  ];

  function shown(reply: Reply): unknown {
    if (reply instanceof Error) return `!${reply.message}`;
    if (Buffer.isBuffer(reply)) return reply.toString();
    return Array.isArray(reply) ? reply.map(shown) : reply;
  }

  function read(blocks: readonly Buffer[]): unknown[] {
    const replies: unknown[] = [];
    const reader = new ReplyReader((reply) => replies.push(shown(reply)));
    for (const block of blocks) reader.feed(block);
    return replies;
  }

  it("are the same wherever blocks end", () => {
    const text = Buffer.from(TEXT);
    expect(read([text])).toEqual(EXPECTED);
    expect(read([...text].map((byte) => Buffer.of(byte)))).toEqual(EXPECTED);
    for (let at = 1; at < text.length; at++) expect(read([text.subarray(0, at), text.subarray(at)])).toEqual(EXPECTED);
  });

  it.each(["HTTP/1.1 400\r\n", ":1x\r\n", "+OK\rX", `${"*1\r\n".repeat(40)}:1\r\n`])(
    "that are none are told: %j",
    (text) => {
      expect(() => read([Buffer.from(text)])).toThrow(/the answer is/);
    },
  );
});
