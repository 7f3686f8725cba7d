/** The package's version. */
import { createRequire } from "node:module";

export function version(): string {
  const manifest: unknown = createRequire(import.meta.url)("elastickv-restore/package.json");
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "";
}
