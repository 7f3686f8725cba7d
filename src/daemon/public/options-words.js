/** A job's options as sentences. Pure. */
import { printable } from "./words.js";

/**
 * @typedef {import("../schema/job.js").JobView} JobView
 * @typedef {Record<string, unknown>} Options
 */

/** @type {readonly (readonly [mode: string, name: string, meaning: string])[]} */
export const MODES = [
  [
    "",
    "Refuse what is not empty",
    "Only into scopes that are absent or empty. Nothing is overwritten, nothing deleted.",
  ],
  [
    "skip-existing",
    "Add what is missing",
    "What stands on the target stays untouched; records that are missing are added.",
  ],
  ["merge", "Merge", "The dump's records win over those of the same key; everything else on the target stays."],
  ["replace", "Replace", "Each scope holds exactly the dump afterwards. What it holds now is deleted."],
];

/** @type {readonly (readonly [policy: string, text: string])[]} */
export const TTL_POLICIES = [
  ["skip-expired", "keys whose time is past are left out"],
  ["preserve", "keys keep their original times, also those that are past"],
  ["rebase", "the time that was left when the dump was taken is left again now"],
  ["persist", "keys are written without expiry"],
];

/** @type {Readonly<Record<string, string>>} */
const NAMES = {
  include: "Only keys like",
  exclude: "Not the keys like",
  rename: "Under other names",
  listMergeStrategy: "Lists that exist",
  streamMergeStrategy: "Streams that exist",
  replaceStrategy: "Redis databases are replaced by",
  fifoDedup: "FIFO deduplication ids",
  purgeWait: "Wait after a purge",
  onAmbiguous: "Messages in doubt",
  multipartThreshold: "Objects in parts above",
  maxRetryTime: "A failing request is tried again for",
  sample: "Only a sample of",
  sampleSeed: "Chosen by the seed",
  tolerance: "Expiries may differ by",
  looks: "What differs is looked at so often",
  lookAgainAfter: "Looked at again after",
  assertions: "Assertions of",
  databases: "Into the Redis databases",
  maxRto: "Restored within",
  maxRpo: "Dump no older than",
  trendLast: "Drills that it is compared with",
  trendPercent: "Slower than these by percent is remarked on",
};

/** @type {Readonly<Record<string, string>>} */
const FLAGS = {
  allowOrphanBuckets: "Takes bucket folders that have no settings of their own",
  preserveVisibility: "Messages that were in flight stay hidden as long as they would have been",
  keepEtag: "Objects keep their ETag where that is possible",
  allowLowMemory: "Goes on where the target has too little memory",
  requireConsistent: "Refuses a dump that is not one moment of the whole cluster",
  unordered: "Standard queues in no order",
  download: "Reads objects whose digest the target does not tell",
  messages: "Receives messages and gives them back",
  checksums: "Stops after manifest, digests and metadata",
  repair: "Restores what is missing or differs",
  verify: "Compares the targets with the dump afterwards",
};

/**
 * @param {JobView["kind"]} kind
 * @param {JobView["options"]} given
 * @returns {string[]}
 */
export function optionsInWords(kind, given) {
  const options = /** @type {Options} */ (given);
  return [
    selected(options),
    ...(kind === "drill" ? [] : modeWords(kind, options)),
    ...expiryWords(options),
    ...others(options),
  ];
}

/** @param {Options} options */
function selected({ adapters, scopes }) {
  const only = [adapters, scopes].filter((list) => list !== undefined).map(listed);
  return only.length === 0 ? "Everything that the dump holds" : `Only ${only.join("; of these ")}`;
}

/** @param {unknown} value */
function listed(value) {
  return Array.isArray(value) ? value.map(printable).join(", ") : printable(value);
}

/**
 * @param {JobView["kind"]} kind
 * @param {Options} options
 */
function modeWords(kind, { mode = "" }) {
  if (kind === "verify" && mode === "") return [];
  const [, name, meaning] = MODES.find(([known]) => known === mode) ?? ["", printable(mode), ""];
  return [`${name}: ${meaning.charAt(0).toLowerCase()}${meaning.slice(1)}`];
}

/** @param {Options} options */
function expiryWords({ ttlPolicy }) {
  if (ttlPolicy === undefined) return [];
  const [, text = printable(ttlPolicy)] = TTL_POLICIES.find(([known]) => known === ttlPolicy) ?? [];
  return [`Expiry: ${text}`];
}

/** @param {Options} options */
function others(options) {
  return Object.entries(options).flatMap(([name, value]) => {
    const [text, flag] = [NAMES[name], FLAGS[name]];
    if (flag !== undefined) return value === true ? [flag] : [];
    return text === undefined ? [] : [`${text}: ${listed(value)}`];
  });
}
