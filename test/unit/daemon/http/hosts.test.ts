import { describe, expect, it } from "vitest";
import { assertOwnHost, isLoopback } from "../../../../src/daemon/http/hosts.js";

const TCP = { kind: "tcp", isTls: false, hosts: ["Restore.Example", "proxy.example:8443"] } as const;
const TLS = { ...TCP, isTls: true } as const;
const LOCAL = { localAddress: "127.0.0.1", localPort: 7070, origin: undefined };

function isOwn(host: string | undefined, more: object = {}, way: typeof TCP | typeof TLS = TCP): boolean {
  try {
    assertOwnHost({ ...LOCAL, host, ...more }, way);
    return true;
  } catch {
    return false;
  }
}

describe("a host is the daemon's own", () => {
  it.each([
    "127.0.0.1:7070",
    "localhost:7070",
    "LocalHost:7070",
    "restore.example",
    "restore.example:7070",
    "proxy.example:8443",
  ])("as %s", (host) => {
    expect(isOwn(host)).toBe(true);
  });

  it.each([
    "",
    undefined,
    "localhost",
    "localhost:7071",
    "evil.example:7070",
    "127.0.0.2:7070",
    "proxy.example:7070",
    "proxy.example",
    "localhost:7070.evil.example",
  ])("not as %s", (host) => {
    expect(isOwn(host)).toBe(false);
  });

  it("by the address that was reached, also as an IPv6 socket names it", () => {
    expect(isOwn("10.0.0.5:7070", { localAddress: "::ffff:10.0.0.5" }, TLS)).toBe(true);
    expect(isOwn("[fd00::5]:7070", { localAddress: "fd00::5" }, TLS)).toBe(true);
    expect(isOwn("[::1]:7070", { localAddress: "::1" })).toBe(true);
    expect(isOwn("localhost:7070", { localAddress: "10.0.0.5" }, TLS)).toBe(false);
  });

  it("without a port where the port is the scheme's own", () => {
    expect(isOwn("localhost", { localPort: 80 })).toBe(true);
    expect(isOwn("localhost", { localPort: 443 })).toBe(false);
    expect(isOwn("localhost", { localPort: 443 }, TLS)).toBe(true);
  });
});

describe("an origin is the daemon's own", () => {
  it.each([
    ["http://localhost:7070", TCP, true],
    ["https://localhost:7070", TLS, true],
    ["https://localhost:7070", TCP, false],
    ["http://localhost", TCP, false],
    ["null", TCP, false],
    ["", TCP, false],
  ] as const)("%j: %#", (origin, way, isAllowed) => {
    expect(isOwn("localhost:7070", { origin }, way)).toBe(isAllowed);
  });
});

describe("loopback", () => {
  it.each([
    ["127.0.0.1", true],
    ["127.8.9.1", true],
    ["::1", true],
    ["0.0.0.0", false],
    ["::", false],
    ["10.0.0.1", false],
    ["localhost", false],
  ])("%s: %s", (address, isIt) => {
    expect(isLoopback(address)).toBe(isIt);
  });
});
