/** Opens a dump: see `dump.ts` for the order in which its parts are read. */
import { RestoreError } from "../errors/restore-error.js";
import { ADAPTERS, type Adapter, type Scope, type ScopeByAdapter } from "../model/scope.js";
import type { Catalogue } from "./catalogue.js";
import { checkDump } from "./check.js";
import type { CheckProgress, CheckSink, Dump, OpenOptions, ScopeSelection, ScopeSize } from "./dump.js";
import { TableReader } from "./dynamodb.js";
import { readTableScope } from "./dynamodb-scope.js";
import { MANIFEST_FILE, type Manifest, type ManifestFile, readManifest } from "./manifest.js";
import { DatabaseReader } from "./redis.js";
import { type DatabaseIndexes, databaseNumber, readDatabaseScope } from "./redis-scope.js";
import { BucketReader } from "./s3.js";
import type { BucketKeymap } from "./s3-keymap.js";
import { readBucketScope } from "./s3-scope.js";
import type { ScopeContext } from "./scope-context.js";
import {
  assertAllThere,
  assertExcludedAreAbsent,
  inManifestOrder,
  rootWarnings,
  type ScopeDirectory,
  scopeDirectories,
} from "./scope-directories.js";
import { ScopeIndexes } from "./scope-indexes.js";
import type { ScopeReader } from "./scope-reader.js";
import { QueueReader } from "./sqs.js";
import { readQueueScope } from "./sqs-scope.js";
import { uncheckedNames } from "./unchecked-names.js";

/** @throws RestoreError DUMP_NOT_FOUND, DUMP_UNREADABLE, MANIFEST_MISSING, MANIFEST_INVALID, VERSION_UNSUPPORTED,
 *   TREE_INVALID, SCOPE_INVALID */
export async function openDump(path: string, options: OpenOptions): Promise<Dump> {
  const manifestFile = await readManifest(path);
  return new OpenedDump({ path, manifestFile, options, warnings: rootWarnings(path) });
}

interface OpenedDumpInit {
  readonly path: string;
  readonly manifestFile: ManifestFile;
  readonly options: OpenOptions;
  readonly warnings: readonly string[];
}

type ScopeReaders = { readonly [A in Adapter]: (scope: ScopeByAdapter[A]) => ScopeReader<A> };

class OpenedDump implements Dump {
  readonly path: string;
  readonly manifest: Manifest;
  readonly warnings: readonly string[];
  readonly #options: OpenOptions;
  readonly #manifestSha256: string;
  /** By the scope's path, filled by `scopes`. */
  readonly #bucketKeymaps = new Map<string, BucketKeymap>();
  readonly #databaseIndexes = new Map<string, DatabaseIndexes>();
  #indexes: ScopeIndexes | undefined;
  #checked: Catalogue | undefined;

  constructor({ path, manifestFile, options, warnings }: OpenedDumpInit) {
    this.path = path;
    this.manifest = manifestFile.manifest;
    this.#manifestSha256 = manifestFile.sha256;
    this.warnings = warnings;
    this.#options = options;
  }

  async outline(): Promise<{ adapter: Adapter; name: string }[]> {
    const outline: { adapter: Adapter; name: string }[] = [];
    for (const [adapter, { scopes }] of [...this.manifest.adapters].sort(inAdapterOrder)) {
      const names = scopes ?? (await uncheckedNames(this.path, adapter));
      outline.push(...names.map((name) => ({ adapter, name })));
    }
    return outline;
  }

  async check(onProgress?: CheckSink): Promise<CheckProgress> {
    const { workDirectory, signal } = this.#options;
    await this.#checked?.close();
    this.#checked = undefined;
    const checked = await checkDump({
      root: this.path,
      workDirectory,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    this.#checked = checked;
    if (checked.find(MANIFEST_FILE)?.sha256 !== this.#manifestSha256) throw changedManifest();
    return { files: checked.count, bytes: checked.bytes };
  }

  async scopes(selection: ScopeSelection): Promise<Scope[]> {
    assertExcludedAreAbsent(this.path, this.manifest);
    this.#indexes?.close();
    this.#indexes = new ScopeIndexes(this.#options.workDirectory);
    const context: ScopeContext = {
      catalogue: this.#catalogue,
      manifest: this.manifest,
      allowOrphanBuckets: this.#options.allowOrphanBuckets ?? false,
      indexes: this.#indexes,
    };
    const scopes: Scope[] = [];
    for (const adapter of ADAPTERS) {
      if (!this.manifest.adapters.has(adapter)) continue;
      const read: Scope[] = [];
      const directories = scopeDirectories(this.path, adapter);
      assertAllThere(adapter, directories, this.#catalogue.directories(`${adapter}/`));
      for (const directory of directories) {
        read.push(await this.#readScope(context, directory, selection));
      }
      const ordered = inManifestOrder(adapter, this.manifest, read);
      scopes.push(...ordered.filter(({ name }) => selection.wants(adapter, name)));
    }
    return scopes;
  }

  sizeOf({ path }: Scope): ScopeSize {
    return this.#catalogue.sizeOf(`${path}/`);
  }

  reader<A extends Adapter>(scope: ScopeByAdapter[A]): ScopeReader<A> {
    const adapter: Adapter = scope.adapter;
    return this.#readers[adapter as A](scope);
  }

  async close(): Promise<void> {
    await this.#checked?.close();
    this.#indexes?.close();
  }

  get #catalogue(): Catalogue {
    if (this.#checked !== undefined) return this.#checked;
    throw new RestoreError("INTERNAL", "a dump was read before it was checked");
  }

  async #readScope(context: ScopeContext, directory: ScopeDirectory, selection: ScopeSelection): Promise<Scope> {
    const target = (name: string) => ({ target: selection.targetName(directory.adapter, name) });
    switch (directory.adapter) {
      case "dynamodb": {
        const scope = await readTableScope(context, directory);
        return { ...scope, ...target(scope.name) };
      }
      case "s3": {
        const { scope, keymap } = await readBucketScope(context, directory);
        this.#bucketKeymaps.set(scope.path, keymap);
        return { ...scope, ...target(scope.name) };
      }
      case "redis": {
        const { scope, indexes } = await readDatabaseScope(context, directory);
        this.#databaseIndexes.set(scope.path, indexes);
        const named = target(scope.name);
        return { ...scope, ...named, targetDatabase: databaseNumber(named.target) };
      }
      case "sqs": {
        const scope = await readQueueScope(context, directory);
        return { ...scope, ...target(scope.name) };
      }
    }
  }

  readonly #readers: ScopeReaders = {
    dynamodb: (scope) =>
      new TableReader({ catalogue: this.#catalogue, scope, workDirectory: this.#options.workDirectory }),
    s3: (scope) => {
      const keymap = known(this.#bucketKeymaps.get(scope.path));
      const { workDirectory } = this.#options;
      const { metaSuffix } = this.manifest;
      return new BucketReader({ catalogue: this.#catalogue, scope, keymap, metaSuffix, workDirectory });
    },
    redis: (scope) => {
      const indexes = known(this.#databaseIndexes.get(scope.path));
      const { workDirectory } = this.#options;
      return new DatabaseReader({ catalogue: this.#catalogue, scope, indexes, workDirectory });
    },
    sqs: (scope) => new QueueReader(this.#catalogue, scope),
  };
}

function inAdapterOrder([a]: readonly [Adapter, unknown], [b]: readonly [Adapter, unknown]): number {
  return ADAPTERS.indexOf(a) - ADAPTERS.indexOf(b);
}

function changedManifest(): RestoreError {
  return new RestoreError("CHECKSUM_MISMATCH", `${MANIFEST_FILE} changed while the dump was checked`, {
    where: { path: MANIFEST_FILE },
    hint: "Leave the dump alone while it is restored, then run the command again.",
  });
}

function known<T>(keymap: T | undefined): T {
  if (keymap !== undefined) return keymap;
  throw new RestoreError("INTERNAL", "a scope was read that `scopes` did not give");
}
