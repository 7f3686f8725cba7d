/**
 * The elastickv that the environment names. The project cannot start one: where it is not named, its tests are skipped.
 * They delete everything that it holds.
 *
 *     ELASTICKV_RESTORE_TEST_ELASTICKV_REDIS_URL            redis://host:port
 *     ELASTICKV_RESTORE_TEST_ELASTICKV_DYNAMODB_ENDPOINT    http://host:port, and so the next two
 *     ELASTICKV_RESTORE_TEST_ELASTICKV_S3_ENDPOINT
 *     ELASTICKV_RESTORE_TEST_ELASTICKV_SQS_ENDPOINT
 *     ELASTICKV_RESTORE_TEST_ELASTICKV_ACCESS_KEY_ID        where S3 or SQS want another pair than the tests' own
 *     ELASTICKV_RESTORE_TEST_ELASTICKV_SECRET_ACCESS_KEY
 */
import type { Credentials } from "../../../testcontainers/recipe.js";
import { LOCAL_CREDENTIALS } from "../../../testcontainers/server.js";
import type { ContractServer } from "./contract-server.js";

type Port = "REDIS_URL" | "DYNAMODB_ENDPOINT" | "S3_ENDPOINT" | "SQS_ENDPOINT";

const PREFIX = "ELASTICKV_RESTORE_TEST_ELASTICKV_";
const named = (name: string): string => process.env[`${PREFIX}${name}`] ?? "";

const credentials: Credentials = {
  accessKeyId: named("ACCESS_KEY_ID") || LOCAL_CREDENTIALS.accessKeyId,
  secretAccessKey: named("SECRET_ACCESS_KEY") || LOCAL_CREDENTIALS.secretAccessKey,
};

/** One port of it, for one adapter's contract. */
export function elastickv(port: Port): Pick<ContractServer, "name" | "missing" | "start"> {
  const endpoint = named(port);
  return {
    name: "elastickv",
    ...(endpoint === "" ? { missing: `${PREFIX}${port} names none` } : {}),
    start: () => Promise.resolve({ endpoint, credentials, stop: () => Promise.resolve() }),
  };
}
