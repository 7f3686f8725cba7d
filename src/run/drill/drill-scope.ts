/** A scope of a drill as its target knows it, made from its note alone: for removing it where no dump is at hand. */
import type { Scope } from "../../model/scope.js";
import type { ScopeNote } from "./drill-folder.js";

export function drillScope({ adapter, scope: name, target }: ScopeNote): Scope {
  const base = { name, target, path: "", warnings: [] };
  switch (adapter) {
    case "dynamodb":
      return {
        ...base,
        adapter,
        schema: { key: { hash: { name: "", type: "S" } }, globalIndexes: [], localIndexes: [] },
      };
    case "s3":
      return { ...base, adapter };
    case "redis":
      return { ...base, adapter, database: numberOf(name), targetDatabase: numberOf(target) };
    case "sqs":
      return {
        ...base,
        adapter,
        settings: {
          fifo: target.endsWith(".fifo"),
          contentBasedDeduplication: false,
          delaySeconds: 0,
          receiveMessageWaitSeconds: 0,
        },
      };
  }
}

function numberOf(name: string): number {
  return Number(name.replace(/^db_/, ""));
}
