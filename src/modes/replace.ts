/** replace: a scope holds exactly the dump afterwards. */
import type { Mode } from "./mode.js";

export const replace: Mode = {
  name: "replace",
  destructive: true,
  wrongType: "rejected",
  // An empty scope is emptied as well: a table's schema, a bucket's versions and pending uploads are part of it.
  onScope: (_adapter, presence) => (presence === "absent" ? "create" : "empty"),
  onRecord: () => "put",
};
