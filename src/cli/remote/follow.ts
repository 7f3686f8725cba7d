/**
 * A job's events to its end, over as many connections as it takes: one that breaks is taken up again where it was, also
 * with a daemon that was restarted in between.
 */
import { ENDED_STATES, type JobEvent } from "../../daemon/schema/job.js";
import { RestoreError } from "../../errors/restore-error.js";
import { backoffMs, type Clock } from "../../support/clock.js";
import type { Client } from "./client.js";

export interface FollowInit {
  /** The number of the event behind which the first one is wanted. */
  readonly after: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** The connection is gone, and is taken up again. Told once until it is back. */
  readonly onLost: (why: string) => void;
  readonly onBack: () => void;
}

type Followed = Pick<Client, "events" | "server">;

/** A daemon that is not back by then may never be. */
const GIVE_UP_MS = 15 * 60_000;

/**
 * Ends behind the event with the job's last state. An event may come twice.
 * @throws RestoreError where the first connection fails, where the daemon knows the job no more, and where it stays away;
 *   the signal's reason
 */
export async function* follow(client: Followed, id: string, init: FollowInit): AsyncGenerator<JobEvent> {
  const { clock, signal } = init;
  let after = String(init.after);
  let wasOpen = false;
  let lostAt: number | undefined;
  for (let failures = 0; ; failures++) {
    try {
      const onOpen = () => {
        wasOpen = true;
        if (lostAt !== undefined) init.onBack();
        lostAt = undefined;
      };
      for await (const { id: number, event } of client.events(id, after, onOpen)) {
        after = number;
        failures = 0;
        yield event;
        if (isEnd(event)) return;
      }
    } catch (error) {
      if (!wasOpen || !(error instanceof RestoreError) || error.retry !== "yes") throw error;
      if (lostAt !== undefined && clock.monotonic() - lostAt > GIVE_UP_MS) throw staysAway(error, client, id);
      if (lostAt === undefined) init.onLost(error.message);
      lostAt ??= clock.monotonic();
    }
    await clock.sleep(backoffMs(failures), signal);
  }
}

function isEnd(event: JobEvent): boolean {
  return event.type === "state" && ENDED_STATES.has(event.job.state);
}

function staysAway(cause: RestoreError, { server }: Followed, id: string): RestoreError {
  return new RestoreError("CONNECTION", `job ${id} could not be followed to its end: ${cause.message}`, {
    hint: `A daemon that begins again takes its jobs up. Then: \`elastickv-restore watch ${id}${server.option}\`.`,
    cause,
  });
}
