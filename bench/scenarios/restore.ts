/** A restore into an empty server, alone or beside what an operator would type instead. */
import { reasonOf } from "../../testcontainers/ready.js";
import { type Contestant, contest } from "../contest.js";
import { fastestOf, timeRatio } from "../figures.js";
import type { Ready } from "../ground.js";
import { measurementOf } from "../measurement.js";
import { ENVIRONMENT, OURS } from "../ours.js";
import { type Peer, SHA256SUM, sha256sum } from "../peers/peer.js";
import type { Goal, Measurement, Scenario, Standing } from "../scenario.js";
import { ourRestoreOf, type ShapeScenario, scenarioOf, warmsUp } from "./of-shape.js";

export interface RestoreScenario extends ShapeScenario {
  /** What the tool is told beside the dump and the server. */
  readonly options?: readonly string[];
  readonly peers?: readonly Peer[];
  /** The same requests without anybody who makes them: what the server itself takes. */
  readonly floor?: Peer;
  /** Time as a multiple of `sha256sum -c` and the fastest peer after it. */
  readonly atMost?: number;
}

export function restoreScenario(init: RestoreScenario): Scenario {
  return scenarioOf(init, (ready) => measure(init, ready));
}

async function measure(init: RestoreScenario, ready: Ready): Promise<Measurement> {
  const { settings } = ready;
  const contestants = await contestantsOf(init, ready);
  const warmUp = warmsUp(init.shape, ready) ? contestants.findLast(({ skipped }) => skipped === undefined) : undefined;
  const end = await contest(contestants, settings, warmUp);
  const goals = contestants.length === 1 ? [] : goalsOfTime(end.standings, init);
  return { ...measurementOf(init, ready, end), goals };
}

async function contestantsOf(init: RestoreScenario, ready: Ready): Promise<Contestant[]> {
  const { settings, dump } = ready;
  const { shape, options = [], peers = [], floor } = init;
  const ours = ourRestoreOf(shape, ready, { options });
  if (peers.length === 0 || !settings.peers) return [ours];
  const others: Contestant[] = [];
  const all = floor === undefined ? peers : [...peers, floor];
  for (const peer of all) others.push(await contestantOf(peer, init, ready));
  return [ours, sha256sum(dump.path), ...others];
}

async function contestantOf(peer: Peer, { shape }: RestoreScenario, ready: Ready): Promise<Contestant> {
  const { scratch, dump, target } = ready;
  const { name, loses } = peer;
  let installed: string;
  try {
    installed = await peer.install();
  } catch (error) {
    return { name, skipped: reasonOf(error), command: () => ({ command: name, args: [] }) };
  }
  // A server that is started anew has another address.
  const ground = () => ({ dump: dump.path, server: target.server, installed, scratch });
  const expected = { ...dump, ...(loses === undefined ? {} : { without: loses }) };
  return {
    name,
    async before() {
      await target.empty();
      await peer.prepare?.(ground());
    },
    command() {
      const command = peer.command(ground());
      return { ...command, env: { ...ENVIRONMENT, ...command.env } };
    },
    after: async () => await shape.check(target.server, expected),
  };
}

/** Beside the others, and, without a limit, beside what is left to gain. */
function goalsOfTime(standings: readonly Standing[], { atMost, peers = [], floor }: RestoreScenario): Goal[] {
  const named = (wanted: string) => standings.find(({ name }) => name === wanted);
  const ratioTo = (other: Standing | undefined) => ({
    what: `time ÷ (${SHA256SUM} + ${other?.name ?? "a peer"})`,
    value: timeRatio(named(OURS), [named(SHA256SUM), other]),
  });
  const best = fastestOf(standings.filter(({ name }) => peers.some((peer) => peer.name === name)));
  const goal = { ...ratioTo(best), ...(atMost === undefined ? {} : { atMost }) };
  return floor === undefined ? [goal] : [goal, ratioTo(named(floor.name))];
}
