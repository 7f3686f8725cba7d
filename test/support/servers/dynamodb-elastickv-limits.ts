/** What elastickv's DynamoDB port does otherwise, each as it was found on the server itself. */
import { type Limit, within } from "./contract-server.js";

const items: readonly Limit[] = [
  {
    tests:
      /^an item that the target refuses > with (an empty key|a key over|over 400|39 digits|no number|a set with dup|an index key|an empty index)/,
    reason: "it takes items that DynamoDB refuses, all but those with an empty set",
    instead: /found: .*kind: 'restored'/,
  },
  {
    tests: /^an item that the target refuses > is told from its neighbours/,
    reason: "it takes numbers that are none",
    instead: /found: \[\s*'restored',\s*'restored'/,
  },
  {
    tests: /^batches > of 25 items of the largest size go in one request/,
    reason: "its requests are bounded to 1 MiB",
    instead: /expected 13 to be 1/,
  },
];

const tables: readonly Limit[] = [
  {
    tests: /^probe > names the server and takes large batches/,
    reason: "its requests are bounded to 1 MiB, and it gives no name",
    instead: /a DynamoDB server that gives no name/,
  },
  {
    tests:
      /^(inspect > finds an empty table|create > (makes the table with|may run twice)|empty > leaves an empty table)/,
    reason: "it makes tables without their local indexes and does not say so",
    instead: /the local index "by_day" is missing/,
  },
  {
    tests: /^inspect > tells other indexes from another key$/,
    reason: "it makes tables without their local indexes, so none is left over",
    instead: /to contain 'the local index/,
  },
  {
    tests: /^(inspect > says what a replace would lose|empty > refuses a table that is protected)/,
    reason: "it knows neither times to live nor protection against deletion",
    instead: /unsupported operation/,
  },
  {
    tests: /^create > uses throughput where the dump has some$/,
    reason: "it has no throughput to set",
    instead: /found: \[\]/,
  },
  {
    tests: /^create > says why the target refuses a table$/,
    reason: "it takes any number of indexes",
    instead: /instead of rejecting/,
  },
];

const verifier: readonly Limit[] = [
  {
    tests: /^settings > of a table as the dump says are equal/,
    reason: "it makes tables without their local indexes and does not say so",
    instead: /setting local index by_day/,
  },
  {
    tests: /^settings > (tell a global index .* which is mended|mend several indexes)/,
    reason: "it has no UpdateTable",
    instead: /the target cannot change the indexes of a table that exists/,
  },
];

const foresee: readonly Limit[] = [
  {
    tests: /^what emptying a table takes away > is every setting of the table/,
    reason: "it knows no times to live",
    instead: /unsupported operation/,
  },
];

export const ELASTICKV_DYNAMODB_LIMITS: readonly Limit[] = [
  ...within("dynamoDbItems", items),
  ...within("dynamoDbTables", tables),
  ...within("dynamoDbVerifier", verifier),
  ...within("dynamoDbForesee", foresee),
];
