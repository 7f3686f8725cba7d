/** The words of this folder: what a measurement is made of, and what it ends with. Types alone. */
import type { BigDump } from "./big-dump.js";

/** What a generator put into its dump, for the check that follows. */
export interface Generated {
  /** How many records the tool should restore. */
  readonly records: number;
  /** SHA-256 of the one body, where there is one. */
  readonly digest?: string;
}

export interface Settings {
  /** Of a scenario's size; 1 is the whole. */
  readonly scale: number;
  /** How often each contestant runs. */
  readonly rounds: number;
  /** The built command line that is measured. */
  readonly bin: string;
  /** Whether the peers run too. */
  readonly peers: boolean;
  /** A folder for the profiles of one run of ours, which is then all that runs. */
  readonly profiles?: string;
  /** Told what goes on. */
  tell(line: string): void;
}

export interface Scenario {
  /** `group/what`; the command line takes either part and the whole. */
  readonly name: string;
  /** What is restored, for the table: `list, elements in one file`. */
  readonly title: string;
  /** The full size, in the scenario's own unit. */
  readonly size: number;
  /**
   * Writes the scenario's files; the same bytes for the same size. Holds no more than a block of them. Seals nothing.
   * Absent where nothing is restored.
   */
  generate?(dump: BigDump, size: number): Promise<Generated>;
  /** From the dump to the check. Leaves nothing behind, whatever happens. What is wrong stands in `faults`. */
  measure(settings: Settings): Promise<Measurement>;
}

/** What one run took, all processes of a tool together. */
export interface Figures {
  readonly seconds: number;
  /** User and system. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/** How one contestant did: its runs in their order, or why there are none. */
export interface Standing {
  readonly name: string;
  readonly runs: readonly Figures[];
  /** Absent without runs. */
  readonly median?: Figures;
  readonly skipped?: string;
}

/** What a measurement should reach, or, without a limit, only tells. */
export interface Goal {
  /** `time ÷ (sha256sum -c + mc mirror)`. */
  readonly what: string;
  /** Undefined where it could not be measured, since a peer is missing, say. */
  readonly value?: number | undefined;
  readonly atMost?: number;
  readonly unit?: "×" | "%" | "MiB" | "s";
}

export interface Measurement {
  readonly scenario: string;
  readonly title: string;
  readonly size: number;
  readonly dumpBytes: number;
  readonly records: number;
  /** Empty where there is none. */
  readonly server: string;
  /** The tool first. */
  readonly standings: readonly Standing[];
  readonly goals: readonly Goal[];
  /** Whole-process memory of the tool at its highest, of all its runs. */
  readonly peakBytes: number;
  readonly limitBytes: number;
  /** Why nothing was measured at all. */
  readonly skipped?: string;
  /** Empty: all runs ended well, within the limit, and the target held what it should after each of them. */
  readonly faults: readonly string[];
}
