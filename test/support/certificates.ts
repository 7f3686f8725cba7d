/** Certificates for a test, made by the `openssl` command when the test runs: no key is kept anywhere. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const openssl = async (...args: string[]) => await promisify(execFile)("openssl", args);

/** Whether tests with certificates can run on this machine. */
export const HAS_OPENSSL = spawnSync("openssl", ["version"]).status === 0;

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** The authority's own certificate. All of these are paths of PEM files. */
  readonly ca: string;
  /** `names`: `DNS:localhost,IP:127.0.0.1`. `days` below zero: expired. */
  issue(names: string, days?: number): Promise<Certificate>;
  remove(): Promise<void>;
}

const NEW_KEY = ["-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

export async function newAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), "elastickv-restore-certificates-"));
  const at = (name: string) => join(folder, name);
  const ca = { cert: at("ca.pem"), key: at("ca.key") };
  await openssl("req", "-x509", ...NEW_KEY, "-keyout", ca.key, "-out", ca.cert, "-days", "2", "-subj", "/CN=authority");
  let count = 0;
  return {
    ca: ca.cert,
    issue: async (names, days = 2) => {
      const name = `${++count}`;
      const issued = { cert: at(`${name}.pem`), key: at(`${name}.key`) };
      const request = at(`${name}.csr`);
      await openssl("req", ...NEW_KEY, "-keyout", issued.key, "-out", request, "-subj", "/CN=test");
      await writeFile(at("names"), `subjectAltName=${names}\n`);
      const by = ["-CA", ca.cert, "-CAkey", ca.key, "-extfile", at("names")];
      await openssl("x509", "-req", "-in", request, "-out", issued.cert, "-days", String(days), ...by);
      return issued;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
