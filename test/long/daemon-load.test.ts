/**
 * A thousand small jobs under the eyes of two hundred clients that follow them live, half of them hanging up at random:
 * nobody misses an event or gets one twice, and the daemon takes no more of the machine at the end than after a while.
 */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { JobRequest, JobView } from "../../src/daemon/schema/job.js";
import { ENDS, Served } from "../support/served.js";
import { randomly } from "../support/served-kills.js";

const JOBS = 1_000;
/** Each of them follows one job after another. */
const FOLLOWERS = 180;
/** Each of them follows every job's changes of state. */
const ONLOOKERS = 20;
/** Jobs after which caches are filled and code is compiled. */
const WARM = 300;
/** By which resident memory may differ between the most of two thirds of the time behind it: garbage comes and goes. */
const MOST_GROWTH_MIB = 25;
/** Every so many jobs have the same followers. */
const SHARED = 20;

const REQUEST: JobRequest = {
  ...{ kind: "verify", dump: { root: "backups", path: "one" }, options: { checksums: true } },
};

let served: Served;

beforeEach(async () => {
  served = await Served.make({
    settings: { jobs: { at_once: 4 } },
    dumps: { one: { files: { "redis/db_0/strings/k.bin": "v" } } },
  });
  await served.start();
});

afterEach(async () => {
  await served.remove();
});

/** Numbers of a job's events as a client got them, that hangs up after so many of them, again and again. */
async function followed(id: string, hangsUpAfter: () => number): Promise<number[]> {
  const numbers: number[] = [];
  for (let isOver = false; !isOver; ) {
    const hangingUp = new AbortController();
    let left = hangsUpAfter();
    await served.stream(`/v1/jobs/${id}/events`, {
      after: numbers.at(-1) ?? 0,
      signal: hangingUp.signal,
      take: ({ id: number = 0, data }) => {
        if (hangingUp.signal.aborted) return;
        numbers.push(number);
        const { job } = data as { readonly job?: JobView };
        isOver = job !== undefined && ENDS.includes(job.state);
        if (--left === 0) hangingUp.abort();
      },
    });
  }
  return numbers;
}

it("loses no event, and takes no more memory and descriptors with every job", async () => {
  const random = randomly();
  const before = await served.usage();
  const ended: string[][] = [];
  const leaving = new AbortController();
  setMaxListeners(0, leaving.signal);
  const onlookers = Array.from({ length: ONLOOKERS }, async () => {
    const ends: string[] = [];
    ended.push(ends);
    const take = ({ data }: { readonly data: unknown }) => {
      const { id, state } = data as JobView;
      if (ENDS.includes(state)) ends.push(id);
    };
    await served.stream("/v1/events", { signal: leaving.signal, take });
  });
  const clients = async () => {
    const { text } = await served.ask("/metrics");
    return Number(/^elastickv_restore_event_clients (\d+)$/m.exec(text)?.[1]);
  };
  await expect.poll(clients, { timeout: 30_000 }).toBe(ONLOOKERS);

  const ids: string[] = [];
  for (let i = 0; i < JOBS; i++) ids.push(await served.submit(REQUEST));
  const got = new Map<string, number[][]>(ids.map((id) => [id, []]));
  const followers = Array.from({ length: FOLLOWERS }, async (_, client) => {
    const hangsUpAfter = client % 2 === 0 ? () => 1 + Math.floor(random() * 4) : () => Number.POSITIVE_INFINITY;
    for (const id of ids.filter((_id, at) => at % SHARED === client % SHARED)) {
      got.get(id)?.push(await followed(id, hangsUpAfter));
    }
  });
  const all = Promise.all(followers);
  const samples: { readonly jobs: number; readonly residentMiB: number; readonly descriptors: number }[] = [];
  let isOver = false;
  const sampling = (async () => {
    while (!isOver) {
      samples.push({ jobs: ended[0]?.length ?? 0, ...(await served.usage()) });
      await sleep(500);
    }
  })();
  const mostClients = await clients();
  await all;
  await expect.poll(() => ended.map(({ length }) => length), { timeout: 60_000 }).toEqual(ended.map(() => JOBS));
  isOver = true;
  await sampling;
  leaving.abort();
  await Promise.all(onlookers);

  expect(mostClients).toBe(FOLLOWERS + ONLOOKERS);
  for (const ends of ended) expect(new Set(ends)).toEqual(new Set(ids));
  for (const id of ids) {
    const whole = (await served.follow(id)).map(({ id: number }) => number);
    expect(whole).toEqual(whole.map((_, at) => at + 1));
    for (const numbers of got.get(id) ?? []) expect(numbers).toEqual(whole);
  }
  expect([...got.values()].every(({ length }) => length === FOLLOWERS / SHARED)).toBe(true);

  const warm = samples.filter(({ jobs }) => jobs >= WARM);
  const most = (of: typeof samples) => Math.max(...of.map(({ residentMiB }) => residentMiB));
  const third = Math.ceil(warm.length / 3);
  const curve = samples
    .filter((_, at) => at % 20 === 0)
    .map(({ jobs, residentMiB, descriptors }) => {
      return `${jobs}: ${Math.round(residentMiB)} MiB, ${descriptors}`;
    });
  process.stderr.write(`jobs ended, resident memory, descriptors\n${curve.join("\n")}\n`);
  expect(most(warm.slice(-third)) - most(warm.slice(0, third)), curve.join("\n")).toBeLessThan(MOST_GROWTH_MIB);
  await expect.poll(async () => (await served.usage()).descriptors, { timeout: 30_000 }).toBe(before.descriptors);
  expect(await clients()).toBe(0);
  const others = async () => (await served.processes()).filter((words) => !words.includes(" serve "));
  await expect.poll(others, { timeout: 30_000 }).toEqual([]);
}, 1_800_000);
