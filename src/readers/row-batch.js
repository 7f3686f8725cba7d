/**
 * How rows of CHECKSUMS and what was found of their files lie in memory, in files and in messages to threads. Plain
 * JavaScript, because the threads load it too.
 *
 * Rows: one after another, each 64 lower-case hex digits, two spaces, the path's bytes and a NUL, which no path holds.
 * Columns: eight 32-bit words a row: size and change time as 64-bit floats, device and inode as low and high words.
 * Tags of a file of several blocks, in base64: a key, and 16 bytes for every block.
 */
import { createCipheriv } from "node:crypto";

export const PATH_AT = 66;
export const COLUMN_WORDS = 8;
export const DEVICE_WORD = 4;
export const INODE_WORD = 6;

/** Bytes of a file that are checked at a time. */
export const BLOCK = 1024 * 1024;
export const TAG_BYTES = 16;

/** Of the contents of one batch that are handed on together; less than a block. */
export const KEPT_BYTES = 512 * 1024;

/**
 * Of one block, by its index in the file: its GMAC, which takes a fraction of a second SHA-256. The key is random, the
 * file's own and known to this process alone: other bytes have the same tag with a chance of one in 2^100, made or met.
 * @param {Uint8Array} key
 * @param {number} index
 * @param {Uint8Array} block
 */
export function blockTag(key, index, block) {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntLE(index, 0, 6);
  const mac = createCipheriv("aes-128-gcm", key, nonce);
  mac.setAAD(block);
  mac.final();
  return mac.getAuthTag();
}

/**
 * Device and inode of one row's file.
 * @param {Uint32Array} columns
 * @param {number} row
 */
export function identityAt(columns, row) {
  const at = row * COLUMN_WORDS;
  return `${idAt(columns, at + DEVICE_WORD)}:${idAt(columns, at + INODE_WORD)}`;
}

/**
 * @param {Uint32Array} columns
 * @param {number} word
 */
function idAt(columns, word) {
  const [low, high] = [columns[word] ?? 0, columns[word + 1] ?? 0];
  return high < 2 ** 21 ? high * 2 ** 32 + low : (BigInt(high) << 32n) | BigInt(low);
}
