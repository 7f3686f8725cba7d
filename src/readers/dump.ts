/**
 * A dump, opened. The only way in for the engine.
 *
 * `openDump` reads MANIFEST.json and nothing else; `check` compares every file with CHECKSUMS and keeps a catalogue of
 * what it saw; `scopes` reads the scopes' metadata; `reader` yields records. Each step throws before the next begins.
 */
import type { Adapter, Scope, ScopeByAdapter } from "../model/scope.js";
import type { Manifest } from "./manifest.js";
import type { ScopeReader } from "./scope-reader.js";

export interface CheckProgress {
  readonly files: number;
  readonly bytes: number;
}

/** Told how far a check is. */
export type CheckSink = (progress: CheckProgress) => Promise<void> | undefined;

/** Files below a scope's directory, metadata included, and the bytes in them. */
export interface ScopeSize {
  readonly files: number;
  readonly bytes: number;
}

export interface OpenOptions {
  /** A folder of ours for catalogues and sorted runs; made and removed by the caller. */
  readonly workDirectory: string;
  readonly allowOrphanBuckets?: boolean;
  readonly signal?: AbortSignal;
}

/** Narrows a dump to what a run wants and names its targets. Pure. */
export interface ScopeSelection {
  wants(adapter: Adapter, name: string): boolean;
  /** The name on the target. For Redis `db_<n>`. */
  targetName(adapter: Adapter, name: string): string;
}

export interface Dump {
  readonly path: string;
  readonly manifest: Manifest;
  /** Forgiven oddities of manifest and tree. */
  readonly warnings: readonly string[];

  /** Adapters and scope names by manifest and directory listing, without reading a file. Unchecked until `check` has passed. */
  outline(): Promise<{ readonly adapter: Adapter; readonly name: string }[]>;

  /**
   * Compares tree, CHECKSUMS and files, hashing in worker threads. Nothing else may be called before it has passed. It
   * goes on once what `onProgress` answers has resolved.
   * @throws RestoreError CHECKSUMS_*, CHECKSUM_MISMATCH, FILE_*, TREE_INVALID
   */
  check(onProgress?: CheckSink): Promise<CheckProgress>;

  /**
   * Metadata of the selected scopes, in the manifest's or else bytewise order, adapters in the order of ADAPTERS.
   * All scopes are validated, also those not selected.
   * @throws RestoreError SCHEMA_INVALID, SCOPE_INVALID, KEYMAP_INVALID, NAME_INVALID, TTL_INVALID, and
   *   DUMP_INCONSISTENT when manifest and tree name different scopes
   */
  scopes(selection: ScopeSelection): Promise<Scope[]>;

  /** Counted in the catalogue, without reading a file of the dump. */
  sizeOf(scope: Scope): ScopeSize;

  /** For a scope that `scopes` gave. */
  reader<A extends Adapter>(scope: ScopeByAdapter[A]): ScopeReader<A>;

  /** Stops workers and closes files. Repeatable. */
  close(): Promise<void>;
}
