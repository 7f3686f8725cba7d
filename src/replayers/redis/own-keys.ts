/**
 * The names of the keys that the replayer writes for itself, all under one prefix: temporary keys and the markers of
 * append writes. Pure.
 */
import { createHash } from "node:crypto";

import { SLOTS, slotOf, tagOf } from "./slots.js";

const PREFIX = "elastickv-restore";
const MARKER_KEYS = 64;

/**
 * The temporary key of a record: the same whenever the same job writes the same key, so that a second run of the job
 * overwrites what a first left. It is in the key's hash slot.
 */
export function temporaryKey(jobId: string, key: Buffer): Buffer {
  const digest = createHash("sha256").update(key).digest("hex").slice(0, 32);
  return Buffer.from(`${PREFIX}:${jobId}:${digest}:{${tagOf(slotOf(key))}}`);
}

/** A key that begins as the temporary keys do and is never written. On a cluster, of one slot. */
export function neverWrittenKey(slot: number | undefined): string {
  return slot === undefined ? `${PREFIX}:probe` : `${PREFIX}:probe:{${tagOf(slot)}}`;
}

/**
 * Where the markers of append writes stand: a hash, and the record's field in it. The hash is one of a few; on a cluster,
 * the one of the key's slot.
 */
export function markerOf(
  jobId: string,
  key: Buffer,
  clustered: boolean,
): { readonly markers: Buffer; readonly field: string } {
  const digest = createHash("sha256").update(key).digest();
  const bucket = clustered ? `{${tagOf(slotOf(key))}}` : (digest[0] ?? 0) % MARKER_KEYS;
  return { markers: Buffer.from(`${PREFIX}:${jobId}:markers:${bucket}`), field: digest.toString("hex", 0, 16) };
}

/** All hashes of markers that the job may have made. */
export function markerKeys(jobId: string, clustered: boolean): Buffer[] {
  const name = (i: number): string => (clustered ? `{${tagOf(i)}}` : String(i));
  const keys = { length: clustered ? SLOTS : MARKER_KEYS };
  return Array.from(keys, (_, i) => Buffer.from(`${PREFIX}:${jobId}:markers:${name(i)}`));
}

const OWN = new RegExp(`^${PREFIX}:([0-9a-f]{16}):`);

/** The job that keeps the key for itself, by its name; undefined for all others. */
export function jobOf(key: Buffer): string | undefined {
  return OWN.exec(key.toString("latin1", 0, PREFIX.length + 18))?.[1];
}
