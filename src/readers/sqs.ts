/** A queue's messages, in the order of `messages.jsonl`. What SQS cannot carry is the replayer's matter. */
import { hash } from "node:crypto";
import { escapeForDisplay } from "../model/display.js";
import type { Note } from "../model/outcome.js";
import type { Position } from "../model/position.js";
import { type DumpRecord, laneOfMessage, type MessageAttribute, type MessageRecord } from "../model/record.js";
import type { QueueScope } from "../model/scope.js";
import { type JsonObject, type JsonValue, parseJson } from "../support/json.js";
import type { Catalogue } from "./catalogue.js";
import {
  asBytes,
  asObject,
  asString,
  decodeBase64,
  FieldError,
  optionalNumber,
  optionalString,
} from "./json-access.js";
import { type LineFrame, recordLines } from "./record-lines.js";
import type { ScopeReader } from "./scope-reader.js";

export class QueueReader implements ScopeReader<"sqs"> {
  readonly warnings: readonly string[] = [];
  readonly #catalogue: Catalogue;
  readonly #scope: QueueScope;

  constructor(catalogue: Catalogue, scope: QueueScope) {
    this.#catalogue = catalogue;
    this.#scope = scope;
  }

  async *batches(from?: Position): AsyncGenerator<readonly DumpRecord<"sqs">[]> {
    const row = this.#catalogue.find(`${this.#scope.path}/messages.jsonl`);
    if (row === undefined) return;
    const { fifo } = this.#scope.settings;
    const read = (frame: LineFrame, text: Buffer): MessageRecord => {
      const content = readMessage(asObject(parseJson(text), "the line"));
      return { kind: "message", ...frame, ...content, lane: laneOfMessage(fifo, content.groupId) };
    };
    yield* recordLines(this.#catalogue, row, read, from);
  }
}

type MessageContent = Omit<MessageRecord, "kind" | "place" | "after" | "bytes" | "lane">;

/** @throws FieldError */
function readMessage(message: JsonObject): MessageContent {
  const messageId = optionalString(message, "message_id") ?? "";
  const body = asBytes(message.get("body"), '"body"');
  const groupId = optionalString(message, "message_group_id");
  const deduplicationId = optionalString(message, "message_deduplication_id");
  const notes = digestNotes(body, optionalString(message, "md5_of_body"));
  return {
    messageId,
    displayKey: escapeForDisplay(messageId),
    body,
    attributes: readAttributes(message.get("message_attributes")),
    availableAtMs: optionalNumber(message, "available_at_millis") ?? 0,
    visibleAtMs: optionalNumber(message, "visible_at_millis") ?? 0,
    ...(groupId === undefined ? {} : { groupId }),
    ...(deduplicationId === undefined ? {} : { deduplicationId }),
    ...(notes.length === 0 ? {} : { notes }),
  };
}

function digestNotes(body: Buffer, expected: string | undefined): Note[] {
  if (expected === undefined) return [];
  const actual = hash("md5", body);
  return actual === expected.toLowerCase() ? [] : [{ kind: "md5-mismatch", detail: "md5_of_body is not the body's" }];
}

function readAttributes(value: JsonValue | undefined): [string, MessageAttribute][] {
  if (value === undefined || value === null) return [];
  return [...asObject(value, '"message_attributes"')].map(([name, attribute]) => [
    name,
    readAttribute(asObject(attribute, `attribute "${name}"`), `attribute "${name}"`),
  ]);
}

function readAttribute(attribute: JsonObject, what: string): MessageAttribute {
  const dataType = asString(attribute.get("DataType"), `${what}: "DataType"`);
  const kind = dataType.split(".", 1)[0];
  if (kind === "Binary") {
    const binary = decodeBase64(asString(attribute.get("BinaryValue"), `${what}: "BinaryValue"`), what);
    return { dataType, value: { binary } };
  }
  if (kind !== "String" && kind !== "Number") throw new FieldError(`${what} has the unknown type "${dataType}"`);
  return { dataType, value: { string: asString(attribute.get("StringValue"), `${what}: "StringValue"`) } };
}
