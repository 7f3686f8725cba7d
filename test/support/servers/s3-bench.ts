/** An S3 server for one suite, with replayers on it and a plain client. */
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll } from "vitest";

import type { WriteAction } from "../../../src/model/policy.js";
import type { Replayer, ReplayerContext } from "../../../src/replayers/replayer.js";
import { createS3Replayer, type S3Target } from "../../../src/replayers/s3/replayer.js";
import { systemClock } from "../../../src/support/clock.js";
import type { Access } from "../../../testcontainers/recipe.js";
import { LOCAL_CREDENTIALS } from "../../../testcontainers/server.js";
import { plainClient } from "../readback/verify-s3.js";
import { contextFor } from "../replayer-context.js";
import { started } from "./contract-server.js";
import { minio, type S3Server } from "./s3.js";

export interface S3Bench {
  readonly server: Access;
  readonly client: S3Client;
  /** Closed after the test. */
  replayerFor(action: WriteAction, target?: Partial<S3Target>, context?: Partial<ReplayerContext>): Replayer<"s3">;
  /** A bucket's name that no other test uses. */
  uniqueName(): string;
}

/** Registers the hooks that start and stop the server. */
export function s3Bench(server: S3Server = minio): S3Bench {
  const running = started(server);
  const open: Replayer<"s3">[] = [];
  let client: S3Client | undefined;
  let names = 0;
  beforeAll(() => {
    client = plainClient({ ...running(), isElastickv: server.isElastickv === true });
  });
  afterAll(() => client?.destroy());
  afterEach(async () => {
    for (const replayer of open.splice(0)) await replayer.close();
  });
  return {
    get server() {
      return running();
    },
    get client() {
      if (client === undefined) throw new Error("the server is not up yet");
      return client;
    },
    replayerFor(action, target = {}, context = {}) {
      const { endpoint, credentials = LOCAL_CREDENTIALS } = running();
      const replayer = createS3Replayer(
        { endpoint: { url: endpoint }, credentials, ...target },
        contextFor(action, context),
      );
      open.push(replayer);
      return replayer;
    },
    uniqueName: () => `b-${process.pid}-${systemClock.now()}-${++names}`,
  };
}
