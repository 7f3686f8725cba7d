/** No mode: into absent or empty scopes only. What was empty at admission is the dump's to fill. */
import type { Mode } from "./mode.js";

export const none: Mode = {
  name: "none",
  destructive: false,
  wrongType: "rejected",
  onScope: (_adapter, presence) => (presence === "absent" ? "create" : presence === "empty" ? "keep" : "refuse"),
  onRecord: () => "put",
};
