/** A mode for records that a comparison found missing or different: into scopes that stand, which are not emptied. */
import { modeByName } from "./by-name.js";
import type { Mode, ModeName } from "./mode.js";

/**
 * `name`: the mode whose word on records holds. Without one, and in replace, the dump's records win whole. What was
 * appended once is not appended again: its elements would stand there twice.
 */
export function repairMode(name: ModeName): Mode {
  const mode = modeByName(name);
  return {
    ...mode,
    destructive: false,
    onRecord: (type, strategies) => {
      const action = mode.onRecord(type, strategies);
      if (action !== "append") return action;
      return type === "stream" ? "only-if-absent-or-equal" : "reject-existing";
    },
    onScope: (_adapter, presence) => (presence === "absent" ? "create" : "keep"),
  };
}
