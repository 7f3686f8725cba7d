/**
 * An object's metadata as request headers, and the text of a header back. What a target would give back as something else
 * is refused here, before anything is sent.
 */
import type { ObjectMetadata } from "../../model/record.js";

export const USER_PREFIX = "x-amz-meta-";
/** S3's limit for names and values together. */
const MOST_USER_BYTES = 2 * 1024;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a header cannot hold
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
const ASCII = /^[\u0000-\u007f]*$/;
/** Line ends and spaces that are white space to Go and to JavaScript. */
const WIDE_SPACE = /[\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const ENCODED_WORD = /=\?utf-8\?([bq])\?([^?]*)\?=/gi;

/**
 * How text outside ASCII reaches a target so that it gives the same text back: `raw`, as it is; `encoded`, as RFC 2047
 * says; `none`, not at all.
 */
export type TextForm = "raw" | "encoded" | "none";

export interface HeaderRules {
  /** For values of user metadata. */
  readonly userText: TextForm;
  /** For the values of content type, encoding, disposition and cache control. */
  readonly headerText: Exclude<TextForm, "encoded">;
  /** Whether a tab in a value survives the way the request is signed. */
  readonly takesTabs: boolean;
  /** Whether white space outside ASCII does. */
  readonly takesWideSpace: boolean;
}

export interface Refusal {
  /** Stable word for the outcome. */
  readonly reason: string;
  readonly detail: string;
}

/** Whether sending this metadata depends on what the target makes of text outside ASCII. */
export function hasWideText(metadata: ObjectMetadata): boolean {
  const values = [...standardHeaders(metadata), ...metadata.user].map(([, value]) => value);
  return values.some((value) => !ASCII.test(value));
}

/** Why no target under these rules holds the metadata as it is. */
export function metadataFault(metadata: ObjectMetadata, rules: HeaderRules): Refusal | undefined {
  return standardFault(metadata, rules) ?? userFault(metadata.user, rules);
}

function standardFault(metadata: ObjectMetadata, rules: HeaderRules): Refusal | undefined {
  for (const [name, value] of standardHeaders(metadata)) {
    const fault = valueFault(name, value, rules);
    if (fault !== undefined) return fault;
    if (rules.headerText === "none" && !ASCII.test(value)) return wideText(name);
  }
  // The framing of an upload: servers take it away from what they store.
  if (/(?:^|[ ,])aws-chunked(?:$|[ ,])/i.test(metadata.contentEncoding ?? "")) {
    return { reason: "metadata-refused", detail: "the content encoding names aws-chunked, which no server stores" };
  }
  return undefined;
}

function userFault(user: ObjectMetadata["user"], rules: HeaderRules): Refusal | undefined {
  const names = new Set<string>();
  let bytes = 0;
  for (const [name, value] of user) {
    if (!TOKEN.test(name)) return { reason: "metadata-name", detail: "a metadata name that no HTTP header can have" };
    if (names.has(name.toLowerCase())) {
      return { reason: "metadata-name", detail: "two metadata names that differ only by case" };
    }
    names.add(name.toLowerCase());
    const fault = valueFault(`metadata ${name}`, value, rules);
    if (fault !== undefined) return fault;
    if (rules.userText === "none" && !ASCII.test(value)) return wideText(`metadata ${name}`);
    bytes += Buffer.byteLength(name) + Buffer.byteLength(userValue(value, rules));
  }
  if (bytes <= MOST_USER_BYTES) return undefined;
  return { reason: "metadata-too-large", detail: `${bytes} bytes of user metadata, S3 holds ${MOST_USER_BYTES}` };
}

function valueFault(what: string, value: string, rules: HeaderRules): Refusal | undefined {
  if (CONTROLS.test(value) || (!rules.takesTabs && value.includes("\t"))) {
    return { reason: "metadata-value", detail: `${what} holds control characters` };
  }
  if (!rules.takesWideSpace && WIDE_SPACE.test(value)) {
    return { reason: "metadata-value", detail: `${what} holds white space over which this target's signature fails` };
  }
  if (!/^[\s\u0085]|[\s\u0085]$/.test(value)) return undefined;
  return { reason: "metadata-value", detail: `${what} begins or ends with white space, which is taken off on the way` };
}

function wideText(what: string): Refusal {
  return { reason: "metadata-value", detail: `${what} holds text outside ASCII, which this target changes` };
}

/** The headers of a request that stores the object. For metadata without fault. */
export function metadataHeaders(metadata: ObjectMetadata, rules: HeaderRules): Record<string, string> {
  return Object.fromEntries([
    ...standardHeaders(metadata),
    ...metadata.user.map(([name, value]) => [USER_PREFIX + name.toLowerCase(), userValue(value, rules)] as const),
  ]);
}

/** The metadata that have headers of their own. Names in lower case. */
export function standardHeaders(metadata: ObjectMetadata): (readonly [name: string, value: string])[] {
  const { contentType, contentEncoding, cacheControl, contentDisposition } = metadata;
  const headers = [
    ["content-type", contentType],
    ["content-encoding", contentEncoding],
    ["cache-control", cacheControl],
    ["content-disposition", contentDisposition],
  ] as const;
  return headers.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

/** Whether the answered value is this text, as it is or in RFC 2047's words. */
export function sameText(text: string, answered: string | undefined): boolean {
  return answered !== undefined && (answered === text || decodeWords(answered) === text);
}

function userValue(value: string, { userText }: HeaderRules): string {
  // A value that only looks like encoded words would be decoded by a target that reads them.
  if (userText !== "encoded" || (ASCII.test(value) && !value.includes("=?"))) return value;
  return encodeWords(value);
}

/** At most 45 bytes of text a word, for a word has 75 characters at most. */
const WORD_BYTES = 45;

/** Text in RFC 2047's encoded words, UTF-8 and base64. */
export function encodeWords(text: string): string {
  const words: string[] = [];
  let word = "";
  for (const char of text) {
    if (Buffer.byteLength(word + char) > WORD_BYTES) {
      words.push(word);
      word = "";
    }
    word += char;
  }
  return [...words, word].map((part) => `=?UTF-8?B?${Buffer.from(part).toString("base64")}?=`).join(" ");
}

/** Reads RFC 2047's encoded words of UTF-8; other text stays as it is. */
export function decodeWords(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, "?==?")
    .replace(ENCODED_WORD, (_word, encoding: string, content: string) =>
      encoding.toLowerCase() === "b" ? Buffer.from(content, "base64").toString("utf8") : decodeQuoted(content),
    );
}

function decodeQuoted(content: string): string {
  const latin1 = content
    .replaceAll("_", " ")
    .replace(/=([0-9a-f]{2})/gi, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin1, "latin1").toString("utf8");
}
