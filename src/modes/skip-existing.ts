/** skip-existing: what stands on the target stays untouched, whatever it is. */
import type { Mode } from "./mode.js";

export const skipExisting: Mode = {
  name: "skip-existing",
  destructive: false,
  wrongType: "skipped-existing",
  onScope: (adapter, presence) => {
    if (presence === "absent") return "create";
    // Messages have no identity: a queue that holds some cannot tell ours from others, so it is left whole.
    return adapter === "sqs" && presence === "holds-records" ? "skip" : "keep";
  },
  onRecord: (type) => (type === "stream" ? "entry-by-entry" : type === "message" ? "put" : "put-if-absent"),
};
