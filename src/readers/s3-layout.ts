/**
 * What a file below a bucket's directory is. A file is an object if and only if its own sidecar exists; that is how a
 * user's object called `_bucket.json` or `_orphans/x` is told from the dump's own files.
 */
import type { Catalogue, CatalogueRow } from "./catalogue.js";

export const BUCKET_FILE = "_bucket.json";
export const KEYMAP_FILE = "KEYMAP.jsonl";
export const LEAF_DATA_SUFFIX = ".elastickv-leaf-data";
export const USER_DATA_SUFFIX = ".user-data";

export type S3FileKind =
  | { readonly kind: "object"; readonly sidecar: CatalogueRow }
  /** A body without a sidecar: restored with default metadata. */
  | { readonly kind: "bare-object" }
  | { readonly kind: "sidecar" }
  | { readonly kind: "sidecar-without-body" }
  /** `_bucket.json` and `KEYMAP.jsonl` of the dump itself. */
  | { readonly kind: "dump-file" }
  /** Unfinished uploads and orphaned data: never replayed. */
  | { readonly kind: "forensic" };

export class BucketLayout {
  /** Of every path in the bucket, with the slash. */
  readonly prefix: string;
  readonly #catalogue: Catalogue;
  readonly #metaSuffix: string;

  constructor(catalogue: Catalogue, bucketPath: string, metaSuffix: string) {
    this.prefix = `${bucketPath}/`;
    this.#catalogue = catalogue;
    this.#metaSuffix = metaSuffix;
  }

  /** `next`: the row behind it, where that is at hand. It is the sidecar of most. */
  kindOf(path: string, next?: CatalogueRow): S3FileKind {
    const sidecarPath = path + this.#metaSuffix;
    const sidecar = next?.path === sidecarPath ? next : this.#catalogue.find(sidecarPath);
    if (sidecar !== undefined) return { kind: "object", sidecar };
    if (path.endsWith(this.#metaSuffix)) {
      const body = this.#catalogue.find(path.slice(0, -this.#metaSuffix.length));
      return { kind: body === undefined ? "sidecar-without-body" : "sidecar" };
    }
    const below = path.slice(this.prefix.length);
    if (below === BUCKET_FILE || below === KEYMAP_FILE) return { kind: "dump-file" };
    if (below.startsWith("_orphans/") || below.startsWith("_incomplete_uploads/")) return { kind: "forensic" };
    return { kind: "bare-object" };
  }

  /** The dump's own file of that name: absent also when a user's object stands in its place. */
  ownFile(name: string): CatalogueRow | undefined {
    const row = this.#catalogue.find(this.prefix + name);
    return row !== undefined && this.kindOf(row.path).kind === "dump-file" ? row : undefined;
  }

  isShadowed(name: string): boolean {
    return this.#catalogue.find(this.prefix + name) !== undefined && this.ownFile(name) === undefined;
  }
}
