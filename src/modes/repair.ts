/** A mode for records that a comparison found missing or different: into scopes that stand, which are not emptied. */
import { modeByName } from "./by-name.js";
import type { Mode, ModeName } from "./mode.js";

/** `name`: the mode whose word on records holds. Without one, and in replace, the dump's records win whole. */
export function repairMode(name: ModeName): Mode {
  return {
    ...modeByName(name),
    destructive: false,
    onScope: (_adapter, presence) => (presence === "absent" ? "create" : "keep"),
  };
}
