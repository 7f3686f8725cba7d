/** The characters that XML 1.0 can hold, however they are escaped: no request in XML can name anything else. */

/** Finds the first character outside of them, lone surrogates included. */
export const NOT_XML = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
