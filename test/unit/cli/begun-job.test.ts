import { describe, expect, it } from "vitest";
import { argumentsOf, takenUpWith, wordsOf } from "../../../src/cli/begun-job.js";
import type { ApplyArguments } from "../../../src/cli/commands/apply.js";
import { withSavedEndpoints } from "../../../src/cli/words.js";
import type { JobFile } from "../../../src/run/job/job-file.js";
import { identity } from "../../support/jobs.js";

function job(words: readonly string[]): JobFile {
  return {
    jobVersion: 1,
    id: "0123456789abcdef",
    startedAt: 0,
    dump: "/dumps/one",
    words: [...words],
    cwd: "/then",
    identity: identity(),
  };
}

describe("the arguments by which a job is taken up", () => {
  const begun = { dump: "/dumps/one", rateLimit: ["5ops/s"], concurrency: ["8"] };

  it("are its own, but for those that are given anew", () => {
    expect(takenUpWith(begun, { rateLimit: ["none"], report: undefined } as never)).toEqual({
      ...begun,
      rateLimit: ["none"],
    });
  });

  it("keep the concurrency of adapters that are not named anew", () => {
    const { concurrency } = takenUpWith(begun, { concurrency: ["s3=4", "sqs=2"] });
    expect(concurrency).toEqual(["dynamodb=8,s3=4,redis=8,sqs=2"]);
  });
});

describe("the arguments of a job", () => {
  it("are those that were typed, with paths from the folder of then", async () => {
    const words = [
      "dump",
      "--mode",
      "merge",
      "--report",
      "a.json",
      "--report",
      "/b.html",
      "--transform=mask.mjs",
      "-y",
    ];
    expect(await argumentsOf(job(words))).toMatchObject({
      dump: "/dumps/one",
      mode: "merge",
      report: ["/then/a.json", "/b.html"],
      transform: "/then/mask.mjs",
      yes: true,
    });
  });

  it("can be said again in words", async () => {
    const args = await argumentsOf(
      job(["--keep-etag", "--scope=s3=-a,b", "--scope", "redis=0", "--only=failed", "dump"]),
    );
    const words = wordsOf(args);
    expect(words).toEqual(["--scope=s3=-a,b", "--scope=redis=0", "--keep-etag", "--only=failed", "/dumps/one"]);
    expect(wordsOf(await argumentsOf(job(words)))).toEqual(words);
  });
});

describe("an endpoint of then", () => {
  const args: ApplyArguments = { dump: "/dumps/one" };
  it("is taken where none is given now", () => {
    expect(withSavedEndpoints(args, job([]), { env: {} })).toMatchObject({ dynamodbEndpoint: "http://127.0.0.1:1" });
  });
  it("gives way to one that is given now", () => {
    const env = { AWS_ENDPOINT_URL_DYNAMODB: "http://other" };
    expect(withSavedEndpoints(args, job([]), { env })).toEqual(args);
    const given = { ...args, dynamodbEndpoint: "http://other" };
    expect(withSavedEndpoints(given, job([]), { env: {} })).toEqual(given);
  });
});
