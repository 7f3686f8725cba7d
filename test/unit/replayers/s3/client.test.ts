/** Requests as they leave the client, with a handler in place of the network. */
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect, it } from "vitest";
import { createWire, withHeaders } from "../../../../src/replayers/s3/client.js";

interface Sent {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

function recordingWire() {
  const wire = createWire({
    endpoint: { url: "http://127.0.0.1:1" },
    credentials: { accessKeyId: "id", secretAccessKey: "secret" },
  });
  const sent: Sent[] = [];
  const handle = ({ path, headers }: Sent) => {
    sent.push({ path, headers });
    return Promise.resolve({ response: { statusCode: 200, headers: { etag: `"${path}"` }, body: Buffer.alloc(0) } });
  };
  Object.assign(wire.sdk.config.requestHandler, { handle });
  return { wire, sent };
}

const putting = (bucket: string, key: string, headers: Record<string, string>) =>
  new PutObjectCommand(withHeaders({ Bucket: bucket, Key: key, Body: Buffer.from(key) }, headers));

it("objects put side by side go each into its own bucket with its own headers", async () => {
  const { wire, sent } = recordingWire();
  const names = Array.from({ length: 40 }, (_, i) => ({ bucket: i % 2 === 0 ? "even" : "odd", key: `k${i}` }));
  const answers = await Promise.all(
    names.map(({ bucket, key }) => wire.putObject(putting(bucket, key, { "x-amz-meta-key": key }))),
  );
  expect(answers.map(({ ETag }) => ETag)).toEqual(names.map(({ bucket, key }) => `"/${bucket}/${key}"`));
  const headers = new Map(sent.map(({ path, headers: own }) => [path, own["x-amz-meta-key"]]));
  expect(headers).toEqual(new Map(names.map(({ bucket, key }) => [`/${bucket}/${key}`, key])));
});

it("a content type is sent only where the record has one, and text goes out byte by byte", async () => {
  const { wire, sent } = recordingWire();
  await wire.putObject(putting("b", "bare", {}));
  await wire.putObject(putting("b", "typed", { "content-type": "text/plain", "x-amz-meta-name": "ä" }));
  expect(sent[0]?.headers).not.toHaveProperty("content-type");
  expect(sent[1]?.headers).toMatchObject({ "content-type": "text/plain", "x-amz-meta-name": "Ã¤" });
});
