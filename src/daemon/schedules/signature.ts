/** How a webhook's receiver knows who sent it: HMAC-SHA-256 over the time of sending and the body, with a shared secret. */
import { createHmac } from "node:crypto";

export const SIGNATURE_HEADER = "X-Elastickv-Restore-Signature";
export const ID_HEADER = "X-Elastickv-Restore-Id";

/** `at`: Unix milliseconds. `t=<unix seconds>,v1=<hexadecimal>`, the latter of `<unix seconds>.<body>`. */
export function signatureOf(body: string, secret: string, at: number): string {
  const t = Math.floor(at / 1000);
  return `t=${t},v1=${createHmac("sha256", secret).update(`${t}.${body}`).digest("hex")}`;
}
