import { describe, expect, it } from "vitest";
import { replyError } from "../../../../src/replayers/redis/classify-error.js";
import {
  failedOver,
  type Layout,
  layoutOf,
  membersOf,
  redirectionOf,
  shardsOf,
  uncoveredSlots,
} from "../../../../src/replayers/redis/cluster-layout.js";
import type { Reply } from "../../../../src/replayers/redis/connection.js";

type Range = readonly [
  first: number,
  last: number,
  ...members: (readonly [host: string | null, port: number, id?: string])[],
];

const reply = (ranges: readonly Range[]): Reply =>
  ranges.map(([first, last, ...members]) => [
    first,
    last,
    ...members.map(([host, port, id = `${port}`]) => [host === null ? null : Buffer.from(host), port, Buffer.from(id)]),
  ]);

function layout(...ranges: Range[]): Layout {
  const read = layoutOf(reply(ranges), "asked");
  if (read === undefined) throw new Error("not read");
  return read;
}

describe("a layout", () => {
  it("takes the host that was asked for one that is not told", () => {
    expect(layout([0, 16_383, [null, 1], ["", 2], ["::1", 3]]).nodes).toEqual(
      new Set(["asked:1", "asked:2", "[::1]:3"]),
    );
  });

  it("tells a slot without a node, and one place for each primary", () => {
    const read = layout([0, 9, ["a", 1]], [11, 16_383, ["b", 2]], [10, 10, ["a", 1]]);
    expect([uncoveredSlots(read), shardsOf(read)]).toEqual([[], [0, 11]]);
    expect(uncoveredSlots(layout([1, 16_382, ["a", 1]]))).toEqual([0, 16_383]);
  });

  it.each([null, Buffer.from("OK"), [[0, 1]], [[0, Buffer.from("1"), []]]] as Reply[])(
    "is not read from %j",
    (other) => {
      expect(layoutOf(other, "asked")).toBeUndefined();
    },
  );
});

describe("a change of the layout", () => {
  const before = layout([0, 99, ["a", 1], ["r", 3]], [100, 16_383, ["b", 2]]);

  it.each([
    ["the same", layout([0, 99, ["a", 1]], [100, 16_383, ["b", 2]]), false],
    ["a slot that moved between primaries", layout([0, 98, ["a", 1]], [99, 16_383, ["b", 2]]), false],
    ["a slot that moved to a new node", layout([0, 98, ["a", 1]], [99, 99, ["n", 4]], [100, 16_383, ["b", 2]]), false],
    ["another address of the same node", layout([0, 99, ["x", 9, "1"]], [100, 16_383, ["b", 2]]), false],
    ["a replica that took over", layout([0, 99, ["r", 3]], [100, 16_383, ["b", 2]]), true],
    ["a node that took over and was not known", layout([0, 99, ["n", 4]], [100, 16_383, ["b", 2]]), true],
  ])("is told to lose acknowledged writes or not: %s", (_, after, expected) => {
    expect(failedOver(before, after)).toBe(expected);
  });
});

describe("a redirection", () => {
  it.each([
    ["MOVED 3999 127.0.0.1:6381", { ask: false, to: "127.0.0.1:6381" }],
    ["ASK 3999 host.example:6381", { ask: true, to: "host.example:6381" }],
    ["MOVED 3999 :6381", { ask: false, to: "here:6381" }],
    ["MOVED 3999 ::1:6381", { ask: false, to: "[::1]:6381" }],
    ["MOVED to 127.0.0.1:1", undefined],
    ["ERR MOVED 1 127.0.0.1:1", undefined],
  ])("is read from %j", (text, expected) => {
    expect(redirectionOf(replyError(text), "here:1")).toEqual(expected);
  });

  it("is no value that looks like one", () => {
    expect(redirectionOf(Buffer.from("MOVED 1 127.0.0.1:1"), "here:1")).toBeUndefined();
  });
});

it("members are known by address and by host name, those without an address not at all", () => {
  const lines = [
    "id1 10.0.0.1:7000@17000,one.example,shard-id=x myself,master - 0 0 1 connected 0-5460",
    "id2 10.0.0.2:7000@17000 slave id1 0 0 1 connected",
    "id3 10.0.0.3:7000@17000 handshake - 0 0 0 connected",
    "id4 :0@0 master,noaddr - 0 0 0 disconnected",
  ];
  expect(membersOf(`${lines.join("\n")}\n`)).toEqual(new Set(["10.0.0.1:7000", "one.example:7000", "10.0.0.2:7000"]));
});
