/** merge: the dump's records win, what the dump does not name stays. */
import type { RecordType, WriteAction } from "../model/policy.js";
import type { MergeStrategies, Mode } from "./mode.js";

const LIST: Record<MergeStrategies["list"], WriteAction> = {
  replace: "overwrite",
  append: "append",
  reject: "reject-existing",
};

const STREAM: Record<MergeStrategies["stream"], WriteAction> = {
  reject: "only-if-absent-or-equal",
  "auto-id": "append",
};

function onRecord(type: RecordType, strategies: MergeStrategies): WriteAction {
  switch (type) {
    case "item":
    case "message":
      return "put";
    case "object":
    case "string":
      return "overwrite";
    case "hash":
    case "set":
    case "zset":
    case "hll":
      return "merge-into";
    case "list":
      return LIST[strategies.list];
    case "stream":
      return STREAM[strategies.stream];
  }
}

export const merge: Mode = {
  name: "merge",
  destructive: false,
  wrongType: "rejected",
  onScope: (_adapter, presence) => (presence === "absent" ? "create" : "keep"),
  onRecord,
};
