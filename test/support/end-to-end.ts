/** What a file of end-to-end tests works with: the four servers, a look at them, and dumps made for one test. */
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";

import { type DumpFile, temporaryDump } from "./dump-builder.js";
import { type FourServers, startFourServers } from "./four-servers.js";
import { TargetState } from "./target-state.js";

export class EndToEnd {
  readonly #dumps: Awaited<ReturnType<typeof temporaryDump>>[] = [];
  #servers: FourServers | undefined;
  #target: TargetState | undefined;
  #round = 0;

  /** Registers hooks that start the servers, empty Redis before each test, and remove its dumps after it. */
  constructor() {
    beforeAll(async () => {
      this.#servers = await startFourServers();
      this.#target = new TargetState(this.#servers);
    }, 300_000);
    beforeEach(async () => {
      this.#round++;
      await this.target.redis().flushall();
    });
    afterEach(async () => {
      for (const dump of this.#dumps.splice(0)) await dump.remove();
    });
    afterAll(async () => {
      this.#target?.close();
      await this.#servers?.stop();
    });
  }

  get servers(): FourServers {
    if (this.#servers === undefined) throw new Error("the servers are not up yet");
    return this.#servers;
  }

  get target(): TargetState {
    if (this.#target === undefined) throw new Error("the servers are not up yet");
    return this.#target;
  }

  /** A name that no other test of the file uses. */
  readonly own = (name: string): string => name.replace(/(\.fifo)?$/u, `-${this.#round}$1`);

  /** The path of a new dump. */
  readonly newDump = async (
    files: Readonly<Record<string, DumpFile>>,
    manifest: Readonly<Record<string, unknown>> = {},
  ): Promise<string> => {
    const dump = await temporaryDump({ files, manifest });
    this.#dumps.push(dump);
    return dump.path;
  };
}
