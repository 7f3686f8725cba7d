import { expect, test } from "vitest";
import { signatureOf } from "../../../../src/daemon/schedules/signature.js";

test("the signature is HMAC-SHA-256 over the time in seconds, a dot and the body", () => {
  // printf '1700000000.{"a":"ä"}' | openssl dgst -sha256 -hmac 'a shared secret'
  expect(signatureOf('{"a":"ä"}', "a shared secret", 1_700_000_000_999)).toBe(
    "t=1700000000,v1=fe41736ffa5850cb92bc40ae8474a02df1e9a5809d7fa25863d687b5afebae8a",
  );
});
