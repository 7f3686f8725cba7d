/** What all scenarios of this folder hold the tool to. */
export const MEBIBYTE = 1_048_576;
export const LIMIT_BYTES = 256 * MEBIBYTE;
