/**
 * Operations on whole tables, each with the waiting that it needs: DynamoDB answers CreateTable and DeleteTable at once
 * and does the work afterwards. Decides nothing about modes.
 */
import {
  type AttributeDefinition,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  DescribeTableCommand,
  type GlobalSecondaryIndexUpdate,
  ScanCommand,
  type TableDescription,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import { RestoreError } from "../../errors/restore-error.js";
import { backoffMs } from "../../support/clock.js";
import type { Calls } from "../calls.js";
import { isMissingOperation, TABLE_IN_USE, TABLE_NOT_FOUND } from "./classify-error.js";
import type { DynamoDbClient } from "./client.js";

/** How long a table may take to be created or deleted; a large one with indexes takes minutes. */
const TABLE_WAIT_MS = 15 * 60_000;
/** The reason of the error when it takes longer. */
export const TABLE_NOT_READY = "table-not-ready";
const LONGEST_LOOK_MS = 5_000;
/** Pages that are read to count a table whose description has no count. */
const COUNTED_ITEMS = 1_000;

export class Tables {
  readonly #client: DynamoDbClient;
  readonly #calls: Calls;

  constructor(client: DynamoDbClient, calls: Calls) {
    this.#client = client;
    this.#calls = calls;
  }

  /** The table as it is now, or undefined when there is none. `isNested`: asked within another request's turn. */
  async find(name: string, { isNested = false } = {}): Promise<TableDescription | undefined> {
    try {
      const answer = await this.#calls.run({ operation: "DescribeTable", scope: name, isNested }, () =>
        this.#client.sdk.send(new DescribeTableCommand({ TableName: name })),
      );
      return answer.Table;
    } catch (error) {
      if (reasonOf(error) === TABLE_NOT_FOUND) return undefined;
      throw error;
    }
  }

  /**
   * The table once it is neither being made nor on its way out, or undefined when there is none.
   * @throws RestoreError TARGET_UNFIT when it takes no writes
   */
  async findSettled(name: string): Promise<TableDescription | undefined> {
    const table = await this.#wait(
      name,
      (found) => found?.TableStatus !== "CREATING" && found?.TableStatus !== "DELETING",
    );
    assertWritable(name, table);
    return table;
  }

  /** Creates the table, unless one is there by now, and waits until it and its indexes are ACTIVE. Repeatable. */
  async create(name: string, input: CreateTableCommandInput): Promise<TableDescription> {
    for (;;) {
      if ((await this.findSettled(name)) === undefined) await this.#createOnce(name, input);
      const table = await this.#wait(name, (found) => found === undefined || isActive(found));
      assertWritable(name, table);
      if (table !== undefined) return table;
    }
  }

  async #createOnce(name: string, input: CreateTableCommandInput): Promise<void> {
    try {
      await this.#calls.run({ operation: "CreateTable", scope: name }, () =>
        this.#client.sdk.send(new CreateTableCommand(input)),
      );
    } catch (error) {
      // Made by somebody else meanwhile, or by an attempt of ours whose answer was lost.
      if (reasonOf(error) !== TABLE_IN_USE) throw notCreated(name, error);
    }
    await this.#appears(name);
  }

  /** A description can lag behind the answer to CreateTable. */
  async #appears(name: string): Promise<void> {
    await this.#wait(name, (found) => found !== undefined);
  }

  /**
   * Deletes the table and waits until it is gone: until then it still takes writes. Repeatable.
   * @throws RestoreError TARGET_UNFIT when it is protected against deletion
   */
  async delete(name: string): Promise<void> {
    for (;;) {
      const table = await this.findSettled(name);
      if (table === undefined) return;
      assertDeletable(name, table);
      try {
        await this.#calls.run({ operation: "DeleteTable", scope: name }, () =>
          this.#client.sdk.send(new DeleteTableCommand({ TableName: name })),
        );
      } catch (error) {
        const reason = reasonOf(error);
        if (reason === TABLE_NOT_FOUND) return;
        if (reason !== TABLE_IN_USE) throw notDeleted(name, error);
        await this.#wait(name, (found) => found === undefined || isActive(found));
        continue;
      }
      await this.#wait(name, (found) => found === undefined || found.TableStatus !== "DELETING");
    }
  }

  /** Whether it holds an item. The description's count is hours old on AWS: only a read tells. */
  async holdsItems(name: string): Promise<boolean> {
    return (await this.#scan(name, 1)).items > 0;
  }

  /** How many items it holds, when they are few. */
  async countFew(name: string): Promise<number | undefined> {
    const { items, complete } = await this.#scan(name, COUNTED_ITEMS);
    return complete ? items : undefined;
  }

  async #scan(name: string, limit: number): Promise<{ readonly items: number; readonly complete: boolean }> {
    let start: Record<string, never> | undefined;
    for (;;) {
      const input = { TableName: name, Select: "COUNT" as const, ConsistentRead: true, Limit: limit };
      const answer = await this.#calls.run({ operation: "Scan", scope: name }, () =>
        this.#client.sdk.send(new ScanCommand(start === undefined ? input : { ...input, ExclusiveStartKey: start })),
      );
      const [items, next] = [answer.Count ?? 0, answer.LastEvaluatedKey];
      // An empty page that is not the last one: DynamoDB may answer so between partitions.
      if (items > 0 || next === undefined) return { items, complete: next === undefined };
      start = next as Record<string, never>;
    }
  }

  /**
   * Makes or deletes one global index and waits until that is done, for it may take long; the table takes writes
   * meanwhile. Repeatable. `definitions`: of all key attributes, where one is made.
   * @throws RestoreError CALL_FAILED with TABLE_NOT_READY when it takes too long
   */
  async changeIndex(
    name: string,
    update: GlobalSecondaryIndexUpdate,
    definitions: AttributeDefinition[],
  ): Promise<void> {
    const { clock, signal } = this.#calls;
    const startedAt = clock.monotonic();
    let error: RestoreError | undefined;
    for (let tries = 0; ; tries++) {
      const table = await this.#wait(name, (found) => found === undefined || isActive(found));
      // Perhaps by an attempt whose answer was lost.
      if (table === undefined || isChanged(table, update)) return;
      if (error !== undefined) {
        if (reasonOf(error) !== TABLE_IN_USE || clock.monotonic() - startedAt > TABLE_WAIT_MS) throw error;
        await clock.sleep(Math.min(backoffMs(tries), LONGEST_LOOK_MS), signal);
      }
      error = await this.#updateIndex(name, update, definitions);
      const isThere = (found: TableDescription) => isActive(found) && isChanged(found, update);
      if (error === undefined) await this.#wait(name, (found) => found === undefined || isThere(found));
    }
  }

  /** Returns an error that another look at the table may explain. */
  async #updateIndex(
    name: string,
    update: GlobalSecondaryIndexUpdate,
    definitions: AttributeDefinition[],
  ): Promise<RestoreError | undefined> {
    const input = { TableName: name, GlobalSecondaryIndexUpdates: [update] };
    const command = update.Create === undefined ? input : { ...input, AttributeDefinitions: definitions };
    try {
      await this.#calls.run({ operation: "UpdateTable", scope: name }, () =>
        this.#client.sdk.send(new UpdateTableCommand(command)),
      );
      return undefined;
    } catch (error) {
      if (error instanceof RestoreError && error.retry !== "fatal" && !isMissingOperation(error)) return error;
      throw error;
    }
  }

  async #wait(
    name: string,
    done: (table: TableDescription | undefined) => boolean,
  ): Promise<TableDescription | undefined> {
    const { clock, signal } = this.#calls;
    const startedAt = clock.monotonic();
    for (let looks = 0; ; looks++) {
      const table = await this.find(name);
      if (done(table)) return table;
      if (clock.monotonic() - startedAt > TABLE_WAIT_MS) throw stillChanging(name, table);
      await clock.sleep(Math.min(backoffMs(looks), LONGEST_LOOK_MS), signal);
    }
  }
}

/** Servers without asynchronous tables leave states out. */
function isActive(table: TableDescription): boolean {
  const states = [table.TableStatus, ...(table.GlobalSecondaryIndexes ?? []).map((index) => index.IndexStatus)];
  return states.every((state) => state === undefined || state === "ACTIVE");
}

/** Whether the index that was to be made is there, or the one that was to be deleted is gone. */
function isChanged({ GlobalSecondaryIndexes = [] }: TableDescription, update: GlobalSecondaryIndexUpdate): boolean {
  const name = update.Create?.IndexName ?? update.Delete?.IndexName;
  return GlobalSecondaryIndexes.some(({ IndexName }) => IndexName === name) === (update.Create !== undefined);
}

const WRITABLE = new Set<string>(["ACTIVE", "UPDATING", "CREATING", "DELETING"]);

function assertWritable(name: string, table: TableDescription | undefined): void {
  const status = table?.TableStatus ?? "ACTIVE";
  if (WRITABLE.has(status)) return;
  throw new RestoreError("TARGET_UNFIT", `the table ${name} takes no writes: it is ${status}`, {
    where: { adapter: "dynamodb", scope: name },
    hint: "Bring the table back into service, or restore under another name with --rename.",
  });
}

export function isProtected(table: TableDescription): boolean {
  return table.DeletionProtectionEnabled === true;
}

export const PROTECTED_HINT = "Take the protection off, use --mode merge, or restore under another name with --rename.";

function assertDeletable(name: string, table: TableDescription): void {
  if (!isProtected(table)) return;
  throw new RestoreError("TARGET_UNFIT", `the table ${name} is protected against deletion`, {
    where: { adapter: "dynamodb", scope: name, operation: "DeleteTable" },
    hint: PROTECTED_HINT,
  });
}

function stillChanging(name: string, table: TableDescription | undefined): RestoreError {
  const state = table === undefined ? "not there" : `still ${table.TableStatus ?? "changing"}`;
  return new RestoreError("CALL_FAILED", `the table ${name} is ${state} after ${TABLE_WAIT_MS / 60_000} minutes`, {
    where: { adapter: "dynamodb", scope: name, operation: "DescribeTable" },
    hint: "Run the restore again once the table and its indexes are ACTIVE.",
    reason: TABLE_NOT_READY,
  });
}

function notCreated(name: string, error: unknown): unknown {
  if (!(error instanceof RestoreError) || error.retry === "fatal") return error;
  return new RestoreError("CALL_FAILED", `the table ${name} could not be created: ${error.message}`, {
    where: error.where,
    hint: "Change what the target refuses in the table's _schema.json and reseal the dump, or raise the target's limit.",
    reason: "table-not-created",
    cause: error,
  });
}

function notDeleted(name: string, error: unknown): unknown {
  if (!(error instanceof RestoreError) || error.retry === "fatal") return error;
  return new RestoreError("CALL_FAILED", `the table ${name} could not be deleted: ${error.message}`, {
    where: error.where,
    hint: "Use --mode merge, or restore under another name with --rename.",
    reason: "table-not-deleted",
    cause: error,
  });
}

function reasonOf(error: unknown): string | undefined {
  return error instanceof RestoreError ? error.reason : undefined;
}
