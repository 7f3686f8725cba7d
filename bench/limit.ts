/** What the tool is held to, whatever it restores. */
export const MEBIBYTE = 1_048_576;
export const LIMIT_BYTES = 256 * MEBIBYTE;
