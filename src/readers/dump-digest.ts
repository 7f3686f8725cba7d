/** What names a dump's content: two files that stand for all others. */
import { createHash } from "node:crypto";
import { checksumsMissing } from "./checksum-row.js";
import { openRegular } from "./regular-file.js";

/**
 * SHA-256 over MANIFEST.json and CHECKSUMS, hexadecimal: equal for dumps with the same content, wherever they lie.
 * @throws RestoreError as opening the dump does
 */
export async function dumpDigest(root: string): Promise<string> {
  const digests: string[] = [];
  for (const name of ["MANIFEST.json", "CHECKSUMS"]) {
    const file = await openRegular(root, name);
    // The manifest was read before; without it nothing comes as far as this.
    if (file === undefined) throw checksumsMissing();
    const hash = createHash("sha256");
    for await (const chunk of file.createReadStream()) hash.update(chunk as Buffer);
    digests.push(hash.digest("hex"));
  }
  return createHash("sha256").update(digests.join("\n")).digest("hex");
}
