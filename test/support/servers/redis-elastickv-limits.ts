/** What elastickv's Redis port does otherwise, each as it was found on the server itself. */
import { type Limit, within } from "./contract-server.js";

const modes: readonly Limit[] = [
  {
    tests: /^a '\w+' > keeps the latest time there is$/,
    reason: "it refuses an expiry beyond some centuries, so the longest that it takes is set",
    instead: /expected \d{14} to be greater than/,
  },
  {
    tests: /^a '(hash|set|zset|list|HyperLogLog)' > persisted into what is there takes its expiry away$/,
    reason: "it has no PERSIST, so what stays in place keeps its expiry",
    instead: /expected 4\d{4} to be -1/,
  },
  {
    tests: /^empty collections > a HyperLogLog without members exists$/,
    reason: "its PFADD without members makes no key",
    instead: /skipped-empty\/empty-collection/,
  },
  {
    tests: /^sketches > (are kept|are united|leave a string)/,
    reason: "it keeps HyperLogLogs in a form of its own, which GET does not show",
    instead: /no sketch/,
  },
  {
    tests: /^sketches > that are none are rejected$/,
    reason: "it takes no sketches, so what they hold is not looked at",
    instead: /rejected\/sketch-not-supported/,
  },
];

const streams: readonly Limit[] = [
  {
    tests: /^streams > keep names and values that are no text$/,
    reason: "it refuses stream fields that are not UTF-8",
    instead: /rejected\/not-utf8/,
  },
  {
    tests: /^streams > that are empty and without a known last id exist and take any id$/,
    reason: "it has no XSETID, so an empty stream goes on after the lowest id that it takes, 0-1",
    instead: /expected false to be true/,
  },
  {
    tests: /^streams > keep a last id above the top entry$/,
    reason: "it has no XSETID, so the record is listed as last-id-not-restored",
    instead: /last-id-not-restored/,
  },
  {
    tests: /^streams > under merge > get the dump's expiry and last id/,
    reason: "it has no XSETID, so a stream that is there already keeps its last id",
    instead: /expected false to be true/,
  },
  {
    tests: /^streams > under merge > never lower the last id that the target has$/,
    reason: "it has no XSETID, so no last id can be above the top entry",
    instead: /unsupported command 'XSETID'/,
  },
  {
    tests: /^streams > under merge > go into an empty stream, whose group stays$/,
    reason: "it has no consumer groups",
    instead: /unsupported command 'xgroup'/,
  },
];

const expiry: readonly Limit[] = [
  {
    tests: /^a sketch > (preserved|rebased|persisted|takes the place|leaves what is there|is rejected by a merge)/,
    reason: "it keeps HyperLogLogs in a form of its own, so sketches are rejected before anything else is asked",
    instead: /rejected\/sketch-not-supported/,
  },
  {
    tests: /^a sketch > gives what it is merged into its expiry/,
    reason: "it keeps HyperLogLogs in a form of its own, so none is united with a sketch",
    instead: /k expires at \d+ instead of/,
  },
  {
    tests: /^appending > gives (a list|a stream) the dump's expiry, or none under persist$/,
    reason: "it has no PERSIST, so what stays in place keeps its expiry",
    instead: /expected \d+ to be -1/,
  },
];

const scale: readonly Limit[] = [
  {
    tests: /^strings of many megabytes > over the server's limit are rejected and stop nothing$/,
    reason: "it has no CONFIG, so the test cannot set a limit",
    instead: /unsupported command 'config'/,
  },
  {
    tests: /^databases > are kept apart$/,
    reason: "it has one database: SELECT answers OK and changes nothing",
    instead: /found: \[ 'three', 'three' \]/,
  },
  {
    tests: /^databases > are written under their target's number$/,
    reason: "it has one database: SELECT answers OK and changes nothing",
    instead: /expected 1 to be/,
  },
  {
    tests: /^databases > are counted exactly$/,
    reason: "it ends when it is asked to count or list its keys",
    instead: /canCount: false/,
  },
  {
    tests: /^replacing > by flush empties the one database$/,
    reason: "it ends when it is asked to count its keys",
    instead: /dbsize would end the server/,
  },
  {
    tests: /^replacing > per key deletes /,
    reason: "it cannot be listed, so what the dump lacks is not found",
    instead: /elastickv cannot be listed/,
  },
];

const verifier: readonly Limit[] = [
  {
    tests: /^damage > a last id above the dump's/,
    reason: "it has no XSETID, so no last id can be above the top entry",
    instead: /unsupported command 'XSETID'/,
  },
  {
    tests: /^damage > a hyperloglog with a member less/,
    reason: "it tells how many members a HyperLogLog has, and not which",
    instead: /found: \[ 'missing-part' \]/,
  },
  {
    tests: /^keys that the dump lacks > are listed|^has a scope without settings$/,
    reason: "it ends when it is asked to list its keys",
    instead: /elastickv cannot be listed/,
  },
  {
    tests: /^finds nothing in the design once it is restored$/,
    reason: "it rejects what it cannot hold, which is missing then",
    instead: /found: \[ 'missing', 'missing' \]/,
  },
  {
    tests: /^tells a sketch by its registers$|a hyperloglog has the registers that are computed/,
    reason: "it keeps HyperLogLogs in a form of its own, which GET does not show",
    instead: /no sketch/,
  },
];

const foresee: readonly Limit[] = [
  {
    tests: /^foresees that a value is over the server's limit$/,
    reason: "it has no CONFIG, so the test cannot set a limit",
    instead: /unsupported command 'config'/,
  },
  {
    tests: /^losses > are the consumer groups of streams$/,
    reason: "it has no consumer groups",
    instead: /unsupported command 'xgroup'/,
  },
];

export const ELASTICKV_REDIS_LIMITS: readonly Limit[] = [
  ...within("redisModes", modes),
  ...within("redisStreams", streams),
  ...within("redisExpiry", expiry),
  ...within("redisScale", scale),
  ...within("redisVerifier", verifier),
  ...within("redisForesee", foresee),
];
