import { describe, expect, it } from "vitest";
import { endpointKey } from "../../../../src/run/job/same-endpoint.js";

describe("an endpoint", () => {
  it.each([
    [
      "http://localhost:8000",
      "http://127.0.0.1:8000/",
      "HTTP://LocalHost:8000",
      "http://[::1]:8000",
      "http://127.0.0.9:8000",
    ],
    ["http://minio.example", "http://MINIO.example:80/", "http://user@minio.example"],
    ["redis://localhost", "redis://127.0.0.1:6379", "redis://user:secret@LOCALHOST:6379"],
    ["redis+cluster://A:1,redis://b:2", "redis://B:2,redis+cluster://a:1"],
  ])("is the same however it is written: %s", (first, ...others) => {
    for (const other of others) expect(endpointKey(other)).toBe(endpointKey(first));
  });

  it.each([
    ["http://localhost:8000", "http://localhost:8001"],
    ["http://localhost", "https://localhost"],
    ["http://a/one", "http://a/two"],
    ["unix:///run/redis.sock", "unix:///run/Redis.sock"],
    ["aws (us-east-1)", "aws (us-west-2)"],
  ])("is another one where it leads elsewhere: %s and %s", (one, other) => {
    expect(endpointKey(one)).not.toBe(endpointKey(other));
  });
});
