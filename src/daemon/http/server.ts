/** The daemon's web server: one set of routes behind all its listeners. */
import type { Clock } from "../../support/clock.js";
import type { CheckedSettings } from "../check-settings.js";
import { Dumps } from "../dumps.js";
import type { Log } from "../log.js";
import type { JobService, ScheduleService } from "../services.js";
import { type App, createApp } from "./app.js";
import { Doorkeeper } from "./doorkeeper.js";
import { type Handle, type Listener, listenOnTcp, listenOnUnix } from "./listeners.js";
import { Metrics } from "./metrics.js";
import { eventRoutes } from "./routes/events.js";
import { jobRoutes } from "./routes/jobs.js";
import { listRoutes, type Targets } from "./routes/lists.js";
import { pageRoutes, readPage } from "./routes/page.js";
import { scheduleRoutes } from "./routes/schedules.js";
import { systemRoutes } from "./routes/system.js";
import { EventClients } from "./sse.js";

export interface HttpInit {
  readonly checked: CheckedSettings;
  readonly jobs: JobService;
  readonly targets: Targets;
  readonly schedules: ScheduleService;
  /** What stands in the way of jobs, a sentence each. */
  readonly obstacles: () => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly pageFolder: string;
  /** Clients that follow events at once, at most. */
  readonly mostEventClients: number;
}

export interface HttpServer {
  readonly urls: readonly string[];
  /** Lets clients ask for jobs, which have been taken up. Until then they are told to come again. */
  open(): void;
  /** Lets them no more. */
  shut(): void;
  /** Ends live events, takes no more requests and resolves once all connections have ended. Repeatable. */
  close(withinMs: number): Promise<void>;
}

/** Listens. @throws RestoreError CONFIG_INVALID; nothing listens then */
export async function startHttp(init: HttpInit): Promise<HttpServer> {
  const { checked, clock } = init;
  const clients = new EventClients(init.mostEventClients);
  const following = new AbortController();
  const names = init.schedules.list().map(({ name }) => name);
  const metrics = new Metrics({ jobs: init.jobs, schedules: names, eventClients: () => clients.count });
  let isOpen = false;
  const app = await routedApp(init, { clients, metrics, isOpen: () => isOpen });
  const listeners: Listener[] = [];
  const handle: Handle = (request, response) => app.routing(request, response);
  let closing: Promise<void> | undefined;
  const close = async (withinMs: number) => {
    clients.close();
    following.abort();
    await Promise.all(listeners.map((listener) => listener.close(withinMs)));
    await app.close();
  };
  try {
    const { socket, tcp } = checked;
    if (socket !== undefined) listeners.push(await listenOnUnix(socket, handle, clock));
    if (tcp !== undefined) listeners.push(await listenOnTcp(tcp, handle, clock));
  } catch (error) {
    await close(0);
    throw error;
  }
  return {
    urls: listeners.map(({ url }) => url),
    open: () => {
      isOpen = true;
      void metrics.follow(following.signal).catch((error: unknown) => {
        if (!following.signal.aborted) init.log.error({ err: error }, "jobs are no longer counted");
      });
    },
    shut: () => {
      isOpen = false;
    },
    close: (withinMs) => {
      closing ??= close(withinMs);
      return closing;
    },
  };
}

interface Behind {
  readonly clients: EventClients;
  readonly metrics: Metrics;
  readonly isOpen: () => boolean;
}

/** The routes without listeners, ready to be asked. */
async function routedApp(init: HttpInit, { clients, metrics, isOpen }: Behind): Promise<App> {
  const { jobs, clock, log, checked } = init;
  const app = await createApp({
    log,
    version: init.version,
    isOpen,
    doorkeeper: new Doorkeeper({ tokens: checked.tokens, clock, onRefusal: () => metrics.noteRefusal() }),
    onAnswer: (answer) => metrics.noteAnswer(answer),
  });
  jobRoutes(app, jobs);
  eventRoutes(app, { jobs, clients, clock });
  listRoutes(app, { targets: init.targets, dumps: new Dumps(checked.roots) });
  scheduleRoutes(app, init.schedules);
  const obstacles = async () => [...(isOpen() ? [] : ["jobs are not taken up"]), ...(await init.obstacles())];
  systemRoutes(app, { metrics, obstacles });
  pageRoutes(app, await readPage(init.pageFolder));
  await app.ready();
  return app;
}
