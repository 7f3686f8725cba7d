/** A mode for records that are restored once more: into scopes that stand, which are neither emptied nor refused. */
import { modeByName } from "./by-name.js";
import type { Mode, ModeName } from "./mode.js";

/**
 * `name`: the mode in which the records were restored first. Where that one wrote into what it had made empty, the
 * records now win over what stands under their keys.
 */
export function againMode(name: ModeName): Mode {
  return {
    ...modeByName(name === "skip-existing" ? name : "merge"),
    destructive: false,
    onScope: (_adapter, presence) => (presence === "absent" ? "create" : "keep"),
  };
}
