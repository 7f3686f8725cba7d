/** What elastickv's SQS port does otherwise, each as it was found on the server itself. */
import { type Limit, within } from "./contract-server.js";

const queues: readonly Limit[] = [
  {
    tests: /^create > says which attributes the target does not show$/,
    reason: "it shows every attribute, as SQS does",
    instead: /found: \[\]/,
  },
  {
    tests: /^probe > names the server and batches of ten$/,
    reason: "it gives no name",
    instead: /expected 'SQS' to match/,
  },
];

const messages: readonly Limit[] = [
  {
    tests: /^message attributes > that is no number reject their message alone$/,
    reason: "it takes numbers that are none",
    instead: /restored: 10/,
  },
  {
    tests: /^redrive policies > are set after all queues exist/,
    reason: "it gives a redrive policy back as it came, with its number in quotes",
    instead: /maxReceiveCount: '3'/,
  },
  {
    tests: /^redrive policies > that allow others are left out with a warning/,
    reason: "it takes a policy of who may redrive, as SQS does",
    instead: /to have a length of 1 but got/,
  },
];

const settings: readonly Limit[] = [
  {
    tests: /^settings > that the target does not show are named$/,
    reason: "it shows every attribute, as SQS does",
    instead: /found: \[\]/,
  },
];

export const ELASTICKV_SQS_LIMITS: readonly Limit[] = [
  ...within("sqsQueues", queues),
  ...within("sqsMessages", messages),
  ...within("sqsSettings", settings),
];
