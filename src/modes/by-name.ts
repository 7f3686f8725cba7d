/** The four modes, by the name that `--mode` takes. */
import { merge } from "./merge.js";
import type { Mode, ModeName } from "./mode.js";
import { none } from "./none.js";
import { replace } from "./replace.js";
import { skipExisting } from "./skip-existing.js";

const MODES: Record<ModeName, Mode> = { none, replace, merge, "skip-existing": skipExisting };

export function modeByName(name: ModeName): Mode {
  return MODES[name];
}
