/**
 * Progress on standard error: on a terminal a line for the check and for every scope under way, elsewhere a plain line
 * every few seconds. Sinks never throw, and hold no timer once the run has finished.
 */
import type { Writable } from "node:stream";
import { MultiBar, type SingleBar } from "cli-progress";
import { escapeForDisplay } from "../model/display.js";
import { scopeLabel } from "../model/scope.js";
import { workClock } from "../run/control.js";
import { type ProgressSink, SILENT } from "../run/progress.js";
import { systemClock } from "../support/clock.js";
import { formatBytes, formatCount, formatDuration, plural } from "./format.js";
import type { Io } from "./io.js";
import { leftOf, ProgressState, type ScopeProgress, type ShownEvent, type ShownScope } from "./progress-state.js";

export type ProgressKind = "auto" | "plain" | "none";

const PLAIN_INTERVAL_MS = 5_000;

/** What shows progress, also another process's, and lines of text between. */
export interface ShownProgress extends ProgressSink {
  report(event: ShownEvent): void;
  /** A line above what is drawn. */
  say(line: string): void;
}

/** For one run. A supervisor is told whatever is shown here. */
export function progressSink(kind: ProgressKind, io: Io): ProgressSink {
  const shown = shownProgress(kind, io);
  const told = io.supervisor?.progress();
  if (told === undefined) return shown;
  return {
    report: (event) => {
      shown.report(event);
      told.report(event);
    },
  };
}

/** For one run. */
export function shownProgress(kind: ProgressKind, { isTty, stderr, supervisor }: Io): ShownProgress {
  if (kind === "none") return { ...SILENT, say: () => undefined };
  const state = new ProgressState(workClock(systemClock, supervisor?.control));
  return kind === "auto" && isTty === true ? new TerminalProgress(stderr, state) : new PlainProgress(stderr, state);
}

class PlainProgress implements ShownProgress {
  readonly #out: Writable;
  readonly #state: ProgressState;
  #timer: NodeJS.Timeout | undefined;

  constructor(out: Writable, state: ProgressState) {
    this.#out = out;
    this.#state = state;
  }

  report(event: ShownEvent): void {
    this.#state.take(event);
    if (event.type === "finished") {
      clearInterval(this.#timer);
      return;
    }
    if (event.type === "scope-finished") this.#line(this.#state.scopes.get(event.scope));
    if (event.type === "checked") this.#write(`checked ${formatCount(event.files)} files, ${formatBytes(event.bytes)}`);
    this.#timer ??= setInterval(() => this.#tick(), PLAIN_INTERVAL_MS);
    this.#timer.unref();
  }

  say(line: string): void {
    this.#write(line);
  }

  #tick(): void {
    const { checked, scopes, surveyed } = this.#state;
    if (checked?.isDone === false) {
      this.#write(`checking: ${formatCount(checked.files)} files, ${formatBytes(checked.bytes)}`);
      return;
    }
    if (scopes.size === 0 && surveyed !== undefined) {
      const label = escapeForDisplay(scopeLabel(surveyed.scope));
      this.#write(`reading ${label}: ${formatCount(surveyed.records)} records`);
    }
    for (const scope of scopes.values()) if (scope.endedAt === undefined) this.#line(scope);
  }

  #line(scope: ScopeProgress | undefined): void {
    if (scope !== undefined) this.#write(`${scope.label}: ${scopeText(scope, this.#state)}`);
  }

  #write(text: string): void {
    this.#out.write(`${text}\n`);
  }
}

function scopeText(scope: ScopeProgress, state: ProgressState): string {
  const isFinished = scope.endedAt !== undefined;
  const timeLeft = isFinished ? undefined : state.timeLeft(scope);
  const left = leftOf(scope);
  return [
    plural(scope.records, "record"),
    formatBytes(scope.bytes),
    `${formatCount(Math.round(state.rate(scope)))}/s`,
    ...(left === 0 ? [] : [`${formatCount(left)} ${scope.isComparison ? "differ" : "not restored"}`]),
    ...(isFinished ? ["done"] : timeLeft === undefined ? [] : [`${formatDuration(timeLeft)} left`]),
  ].join(", ");
}

const FORMAT = "{label} [{bar}] {percentage}%  {text}";
const LABEL_CHARS = 28;

class TerminalProgress implements ShownProgress {
  readonly #out: Writable;
  readonly #state: ProgressState;
  readonly #byScope = new Map<ShownScope, SingleBar>();
  /** Drawn while something is under way; in between the terminal belongs to whoever writes to it. */
  #bars: MultiBar | undefined;
  #check: SingleBar | undefined;

  constructor(out: Writable, state: ProgressState) {
    this.#out = out;
    this.#state = state;
  }

  report(event: ShownEvent): void {
    this.#state.take(event);
    if (event.type === "checking" || event.type === "checked") this.#showCheck();
    else if (event.type === "finished") this.#stop();
    else if (event.type === "surveyed") return;
    else if ("scope" in event && event.scope !== undefined) this.#showScope(event.scope);
  }

  say(line: string): void {
    if (this.#bars === undefined) {
      this.#out.write(`${line}\n`);
      return;
    }
    this.#bars.log(`${line}\n`);
    this.#bars.update();
  }

  #showCheck(): void {
    const { checked } = this.#state;
    if (checked === undefined) return;
    const text = `${plural(checked.files, "file")}, ${formatBytes(checked.bytes)}`;
    // How many there are is known only at the end.
    this.#check ??= this.#drawn().create(1, 0, { label: label("check"), text });
    this.#check.update(checked.isDone ? 1 : 0, { label: label("check"), text });
    if (checked.isDone) this.#stop();
  }

  #showScope(scope: ShownScope): void {
    const progress = this.#state.scopes.get(scope);
    if (progress === undefined) return;
    const text = scopeText(progress, this.#state);
    if (progress.endedAt !== undefined) {
      this.#keep(scope, `${label(progress.label)}  ${text}`);
      return;
    }
    const payload = { label: label(progress.label), text };
    const total = Math.max(progress.expectedBytes, 1);
    let shown = this.#byScope.get(scope);
    if (shown === undefined) {
      shown = this.#drawn().create(total, 0, payload);
      this.#byScope.set(scope, shown);
    }
    shown.update(Math.min(progress.bytes, total), payload);
  }

  /** A scope that is done becomes a plain line above: more bars than the terminal has lines cannot be redrawn. */
  #keep(scope: ShownScope, line: string): void {
    const bars = this.#drawn();
    const shown = this.#byScope.get(scope);
    bars.log(`${line}\n`);
    if (shown === undefined) bars.update();
    else bars.remove(shown);
    this.#byScope.delete(scope);
  }

  #drawn(): MultiBar {
    this.#bars ??= new MultiBar({
      stream: this.#out as NodeJS.WriteStream,
      format: FORMAT,
      barsize: 20,
      fps: 5,
      hideCursor: true,
      clearOnComplete: false,
      stopOnComplete: false,
      emptyOnZero: true,
      forceRedraw: true,
      formatBar: bar,
    });
    return this.#bars;
  }

  #stop(): void {
    this.#bars?.stop();
    this.#bars = undefined;
  }
}

function bar(progress: number, options: { readonly barsize?: number | undefined }): string {
  const size = options.barsize ?? 20;
  const full = Math.round(progress * size);
  return "█".repeat(full) + "░".repeat(size - full);
}

/** Long names are cut in the middle: those of many scopes differ at their ends. */
function label(text: string): string {
  const chars = [...text];
  if (chars.length <= LABEL_CHARS) return text.padEnd(LABEL_CHARS);
  const tail = Math.floor((LABEL_CHARS - 1) / 2);
  return [...chars.slice(0, LABEL_CHARS - 1 - tail), "…", ...chars.slice(-tail)].join("");
}
