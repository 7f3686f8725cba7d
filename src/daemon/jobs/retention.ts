/** Which jobs that have ended are kept no longer. Pure. */

export interface EndedJob {
  readonly id: string;
  /** Unix milliseconds. */
  readonly endedAt: number;
  /** The job whose plan it carried out. */
  readonly plan?: string;
}

export interface RetentionInit {
  readonly ended: readonly EndedJob[];
  /** Plans of jobs that have not ended. */
  readonly inUse: ReadonlySet<string>;
  /** Unix milliseconds: what ended before it goes. */
  readonly before: number;
  /** The latest of them that stay. */
  readonly most: number;
}

/**
 * Ids in the order in which they are to be removed. A plan stays as long as a job that carried it out, and goes behind it.
 */
export function outlived({ ended, inUse, before, most }: RetentionInit): string[] {
  const oldestFirst = [...ended].sort((a, b) => a.endedAt - b.endedAt);
  const tooMany = Math.max(0, oldestFirst.length - most);
  const going = new Set(oldestFirst.filter(({ endedAt }, at) => at < tooMany || endedAt < before).map(({ id }) => id));
  for (const { id, plan } of ended) if (plan !== undefined && !going.has(id)) going.delete(plan);
  for (const plan of inUse) going.delete(plan);
  const plans = new Set(ended.flatMap(({ plan }) => plan ?? []));
  return [...going].sort((a, b) => Number(plans.has(a)) - Number(plans.has(b)));
}
