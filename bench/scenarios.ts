/** Every measurement there is, in the order in which they run. */

import type { Scenario } from "./scenario.js";
import { MEMORY } from "./scenarios/memory.js";
import { SPEED } from "./scenarios/speed.js";

export const SCENARIOS: readonly Scenario[] = [...SPEED, ...MEMORY];

/** Those of a group (`memory`), or the one of that name (`memory/redis-list`); without its group, the first such. */
export function scenariosNamed(wanted: string): readonly Scenario[] {
  const inGroup = SCENARIOS.filter(({ name }) => name.startsWith(`${wanted}/`));
  if (inGroup.length > 0) return inGroup;
  const one = SCENARIOS.find(({ name }) => name === wanted || name.endsWith(`/${wanted}`));
  return one === undefined ? [] : [one];
}
