/** What servers answer when they are in trouble, by adapter and in each protocol's own words. */
import type { Adapter } from "../../../src/model/scope.js";
import type { HttpAnswer, HttpRequest, HttpVerdict } from "./http-proxy.js";
import type { RedisVerdict } from "./redis-proxy.js";

/** Answers after which the request can be made again. */
export const PASSING_ANSWERS: Readonly<Record<Adapter, readonly string[]>> = {
  redis: ["LOADING", "READONLY", "TRYAGAIN", "BUSY", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS"],
  dynamodb: ["500", "503", "429", "ProvisionedThroughputExceededException", "ThrottlingException", "unprocessed"],
  s3: ["500", "503", "429", "SlowDown", "OperationAborted"],
  sqs: ["500", "503", "429", "RequestThrottled", "OverLimit", "failed entries"],
};

/** Answers that last until somebody makes room. */
export const FULL_ANSWERS: Readonly<Record<Adapter, readonly string[]>> = {
  redis: ["OOM", "MISCONF"],
  dynamodb: [],
  s3: ["XMinioStorageFull"],
  sqs: [],
};

const REDIS_TEXTS: Readonly<Record<string, string>> = {
  LOADING: "-LOADING Redis is loading the dataset in memory",
  READONLY: "-READONLY You can't write against a read only replica.",
  TRYAGAIN: "-TRYAGAIN Multiple keys request during rehashing of slot",
  BUSY: "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
  CLUSTERDOWN: "-CLUSTERDOWN The cluster is down",
  MASTERDOWN: "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  NOREPLICAS: "-NOREPLICAS Not enough good replicas to write.",
  OOM: "-OOM command not allowed when used memory > 'maxmemory'.",
  MISCONF: "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
  MOVED: "-MOVED 3999 127.0.0.1:1",
};

export function redisAnswer(name: string): RedisVerdict {
  return { answer: REDIS_TEXTS[name] ?? unknown(name) };
}

const STATUS_OF: Readonly<Record<string, number>> = {
  ProvisionedThroughputExceededException: 400,
  ThrottlingException: 400,
  RequestThrottled: 400,
  OverLimit: 403,
  SlowDown: 503,
  OperationAborted: 409,
  XMinioStorageFull: 507,
};
const CODE_OF: Readonly<Record<string, string>> = {
  "500": "InternalServerError",
  "503": "ServiceUnavailable",
  "429": "TooManyRequests",
};

/** `pass` where the answer fits no request of this kind. */
export function httpAnswer(adapter: "dynamodb" | "s3" | "sqs", name: string, request: HttpRequest): HttpVerdict {
  if (name === "unprocessed") return request.operation === "BatchWriteItem" ? leavingUnprocessed(request) : "pass";
  if (name === "failed entries") return request.operation === "SendMessageBatch" ? failingEntries(request) : "pass";
  const status = STATUS_OF[name] ?? Number(name);
  if (!Number.isInteger(status)) unknown(name);
  const code = CODE_OF[name] ?? name;
  return { answer: adapter === "s3" ? xmlError(status, code) : jsonError(status, code) };
}

function xmlError(status: number, code: string): HttpAnswer {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>scripted</Message></Error>`;
  return { status, headers: { "content-type": "application/xml" }, body };
}

function jsonError(status: number, code: string): HttpAnswer {
  const headers = { "content-type": "application/x-amz-json-1.0" };
  return { status, headers, body: JSON.stringify({ __type: `com.amazonaws#${code}`, message: "scripted" }) };
}

interface Batch {
  readonly RequestItems: Readonly<Record<string, readonly unknown[]>>;
}

/** The server does the first half of a batch and says that it left the rest undone. */
function leavingUnprocessed({ body }: HttpRequest): HttpVerdict {
  const { RequestItems } = JSON.parse(body.toString()) as Batch;
  const halves = Object.entries(RequestItems).map(([table, items]) => [table, ...inHalves(items)] as const);
  const done = Object.fromEntries(halves.map(([table, first]) => [table, first]));
  const UnprocessedItems = Object.fromEntries(halves.map(([table, , rest]) => [table, rest]));
  return {
    body: Buffer.from(JSON.stringify({ RequestItems: done })),
    alter: (answer) => ({ ...answer, body: JSON.stringify({ UnprocessedItems }) }),
  };
}

interface Sent {
  readonly Entries: readonly { readonly Id: string }[];
}

/** The server takes the first half of the messages and refuses the others for a while. */
function failingEntries({ body }: HttpRequest): HttpVerdict {
  const sent = JSON.parse(body.toString()) as Sent;
  const [taken, put] = inHalves(sent.Entries);
  const Failed = put.map(({ Id }) => ({ Id, Code: "ThrottlingException", Message: "scripted", SenderFault: false }));
  return {
    body: Buffer.from(JSON.stringify({ ...sent, Entries: taken })),
    alter: (answer) => {
      const said = JSON.parse(answer.body.toString()) as object;
      return { ...answer, body: JSON.stringify({ ...said, Failed }) };
    },
  };
}

function inHalves<T>(all: readonly T[]): [first: T[], rest: T[]] {
  const middle = Math.ceil(all.length / 2);
  return [all.slice(0, middle), all.slice(middle)];
}

function unknown(name: string): never {
  throw new Error(`no server answers ${name}`);
}
