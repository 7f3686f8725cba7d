import { Readable } from "node:stream";
import { BatchWriteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { carrying, type Exchange, exchangeConfig, prepareForExchanges } from "../../../src/replayers/exchange.js";

interface Sent {
  readonly hostname: string;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

const PLAIN = '{"UnprocessedItems":{}}';

/** A client whose requests go nowhere and are answered so. Its credentials are other ones each time. */
function clientFor(answers: readonly { readonly status: number; readonly body: string }[], aws = false) {
  const sent: Sent[] = [];
  let asked = 0;
  const endpoint = aws ? ({ aws: true } as const) : { url: "http://target.test:8000" };
  const client = new DynamoDBClient({
    ...(aws ? {} : { endpoint: "http://target.test:8000" }),
    ...exchangeConfig(endpoint),
    region: "eu-west-1",
    credentials: () => {
      asked++;
      return Promise.resolve({ accessKeyId: `key-${asked}`, secretAccessKey: "secret", expiration: new Date(0) });
    },
    requestHandler: {
      handle: (request: Sent) => {
        sent.push({ ...request, headers: { ...request.headers } });
        const { status, body } = answers[Math.min(sent.length, answers.length) - 1] ?? { status: 200, body: PLAIN };
        const response = {
          statusCode: status,
          headers: { "x-amzn-requestid": "r" },
          body: Readable.from([Buffer.from(body)]),
        };
        return Promise.resolve({ response });
      },
    } as unknown as NonNullable<ConstructorParameters<typeof DynamoDBClient>[0]>["requestHandler"] & object,
  });
  prepareForExchanges(client, endpoint);
  const send = async (exchange: Exchange, table = "t") => {
    const output = await client.send(new BatchWriteItemCommand(carrying({ RequestItems: { [table]: [] } }, exchange)));
    return { output, exchange };
  };
  return { sent, send };
}

const ok = { status: 200, body: PLAIN };

describe.each([false, true])("requests of one operation (to AWS: %s)", (aws) => {
  it("each carry their own body and its length, signed with the credentials of the moment", async () => {
    const { send, sent } = clientFor([ok], aws);
    for (const text of ["one", "three", "longest"]) await send({ body: Buffer.from(text) });
    expect(sent.map(({ body }) => String(body))).toEqual(["one", "three", "longest"]);
    expect(sent.map(({ headers }) => headers["content-length"])).toEqual(["3", "5", "7"]);
    const keys = sent.map(({ headers }) => /Credential=([^/]+)/.exec(headers["authorization"] ?? "")?.[1]);
    expect(new Set(keys).size).toBe(3);
    expect(sent.map(({ headers }) => headers["x-amz-target"])).toEqual(
      Array.from({ length: 3 }, () => "DynamoDB_20120810.BatchWriteItem"),
    );
    expect(new Set(sent.map(({ hostname }) => hostname)).size).toBe(1);
  });

  it("side by side get their own answers", async () => {
    const { send } = clientFor([ok, { status: 200, body: '{"UnprocessedItems":{},"a":1}' }], aws);
    const bodies = ["one", "two"].map((text) => send({ body: Buffer.from(text) }));
    const answers = (await Promise.all(bodies)).map(({ exchange }) => exchange.answer?.body.toString());
    expect(answers).toEqual([PLAIN, '{"UnprocessedItems":{},"a":1}']);
  });
});

describe("a request with a time to go out", () => {
  it("is made at once, and sent then", async () => {
    const { send, sent } = clientFor([ok]);
    let go: () => void = () => undefined;
    const sendAfter = new Promise<void>((resolve) => {
      go = resolve;
    });
    const order: string[] = [];
    const meanwhile = () => order.push("meanwhile");
    const sending = send({ body: Buffer.from("b"), sendAfter, meanwhile });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sent).toEqual([]);
    expect(order).toEqual([]);
    go();
    await sending;
    expect(sent).toHaveLength(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(["meanwhile"]);
  });

  it("is not sent where that time does not come", async () => {
    const { send, sent } = clientFor([ok]);
    const sending = send({ body: Buffer.from("b"), sendAfter: Promise.reject(new Error("the disk is full")) });
    await expect(sending).rejects.toThrow("the disk is full");
    expect(sent).toEqual([]);
  });
});

describe("an answer", () => {
  const plainAnswer = Buffer.from(PLAIN);

  it("with nothing to read in it is kept, and not read", async () => {
    const { output, exchange } = await clientFor([ok]).send({ body: Buffer.from("b"), plainAnswer });
    expect(exchange.answer).toMatchObject({ status: 200, headers: { "x-amzn-requestid": "r" }, body: plainAnswer });
    expect(output.UnprocessedItems).toBeUndefined();
  });

  it("of another text is read by the SDK, too", async () => {
    const body = '{"UnprocessedItems":{"t":[]}}';
    const { output } = await clientFor([{ status: 200, body }]).send({ body: Buffer.from("b"), plainAnswer });
    expect(output.UnprocessedItems).toEqual({ t: [] });
  });

  it("that was cut is an error with the answer's status", async () => {
    const sending = clientFor([{ status: 200, body: PLAIN.slice(0, 9) }]).send({ body: Buffer.from("b"), plainAnswer });
    await expect(sending).rejects.toMatchObject({ $response: { statusCode: 200 } });
  });

  it("that refuses is the SDK's error, also at a later request", async () => {
    const refusal = {
      status: 400,
      body: '{"__type":"com.amazonaws.dynamodb.v20120810#ValidationException","message":"no"}',
    };
    const { send } = clientFor([ok, refusal]);
    await send({ body: Buffer.from("b"), plainAnswer });
    await expect(send({ body: Buffer.from("b"), plainAnswer })).rejects.toMatchObject({
      name: "ValidationException",
      message: "no",
      $metadata: { httpStatusCode: 400 },
    });
  });
});
