/** A DynamoDB server for one suite, with replayers on it. */
import { afterEach } from "vitest";

import type { WriteAction } from "../../../src/model/policy.js";
import { createDynamoDbReplayer, type DynamoDbTarget } from "../../../src/replayers/dynamodb/replayer.js";
import type { Replayer, ReplayerContext } from "../../../src/replayers/replayer.js";
import { systemClock } from "../../../src/support/clock.js";
import { LOCAL_CREDENTIALS } from "../../../testcontainers/server.js";
import { contextFor } from "../replayer-context.js";
import { type ContractServer, started } from "./contract-server.js";
import { dynamoDbLocal } from "./dynamodb.js";

export interface DynamoDbBench {
  readonly endpoint: string;
  /** Closed after the test. Speaks to `endpoint` when one is given, with the server's credentials. */
  replayerFor(action: WriteAction, options?: ReplayerOptions): Replayer<"dynamodb">;
  /** A name that no other test uses. */
  uniqueName(): string;
}

interface ReplayerOptions {
  readonly endpoint?: string;
  readonly target?: Partial<DynamoDbTarget>;
  readonly context?: Partial<ReplayerContext>;
}

/** Registers the hooks that start and stop the server. */
export function dynamoDbBench(server: ContractServer = dynamoDbLocal): DynamoDbBench {
  const running = started(server);
  const open: Replayer<"dynamodb">[] = [];
  let names = 0;
  afterEach(async () => {
    for (const replayer of open.splice(0)) await replayer.close();
  });
  return {
    get endpoint() {
      return running().endpoint;
    },
    replayerFor(action, { endpoint = running().endpoint, target = {}, context = {} } = {}) {
      const { credentials = LOCAL_CREDENTIALS } = running();
      const replayer = createDynamoDbReplayer(
        { endpoint: { url: endpoint }, credentials, ...target },
        contextFor(action, context),
      );
      open.push(replayer);
      return replayer;
    },
    uniqueName: () => `t.${process.pid}-${systemClock.now()}-${++names}`,
  };
}
