/** Objects without their undefined members, for types whose optional members are absent rather than undefined. */

export type Present<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

export function present<T extends object>(object: T): Present<T> {
  // By hand, for there may be one for every record: an object made of entries is slow to make and to read.
  const members: Partial<Record<string, unknown>> = object;
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(members)) if (members[name] !== undefined) kept[name] = members[name];
  return kept as Present<T>;
}
