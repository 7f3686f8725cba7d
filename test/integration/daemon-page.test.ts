/** The daemon's page in a real browser, before its real web server, over jobs that the test moves. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { JobView } from "../../src/daemon/schema/job.js";
import { emptyTotals } from "../../src/run/tally.js";
import {
  contrastOf,
  findBrowser,
  namelessControls,
  overflow,
  startBrowser,
  tabTo,
  troublesOf,
  unreachedControls,
} from "../support/browser.js";
import { TOKENS } from "../support/http-daemon.js";
import { type PageDaemon, startPageDaemon } from "../support/page-daemon.js";
import { listedRecords, nightlyRuns, progressAt, scenicPlan, scopeProgress } from "../support/page-scenes.js";
import { nightlySchedule } from "../support/page-schedules.js";
import { outcomes } from "../support/plans.js";

const browserPath = await findBrowser();
const DUMP = { root: "backups", path: "prod/2026-11-25T0200" };
const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const AA = 4.5;

// Skipped, and said so, where there is no Chromium and none can be installed.
describe.skipIf(browserPath === undefined)("the daemon's page", () => {
  let browser: Browser;
  let daemon: PageDaemon;
  let context: BrowserContext;
  let page: Page;
  let troubles: string[];

  beforeAll(async () => {
    browser = await startBrowser(browserPath ?? "");
  });

  beforeEach(async () => {
    daemon = await startPageDaemon({
      targets: [
        { name: "recovery", adapters: ["dynamodb", "redis", "s3", "sqs"] },
        { name: "staging", adapters: ["redis"] },
      ],
      dumps: [
        [DUMP.path, "2026-11-25T02:00:04.118Z"],
        ["prod/2026-11-24T0200", "2026-11-24T02:00:04.118Z"],
      ],
      schedules: nightlySchedule(nightlyRuns(45, Date.UTC(2026, 10, 26))),
    });
    await open({});
  });

  afterEach(async () => {
    await context.close();
    await daemon.stop();
    // Its content policy lets through all that the page does, and nothing is thrown.
    expect(troubles).toEqual([]);
  });

  afterAll(() => browser.close());

  async function open(options: BrowserContextOptions): Promise<void> {
    await context?.close();
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    troubles = troublesOf(page);
  }

  async function show(hash: string, token: string = TOKENS.destroy): Promise<void> {
    await page.goto(`${daemon.url}/${hash}`);
    if (await isAsked()) {
      await page.getByLabel("Your token").fill(token);
      await page.keyboard.press("Enter");
    }
    await page.locator("main h1").waitFor();
  }

  /** Either the page asks for a token, or it shows something. */
  async function isAsked(): Promise<boolean> {
    await page.locator("dialog, #main h1:focus").first().waitFor();
    return await page.getByRole("dialog").isVisible();
  }

  async function text(selector = "main"): Promise<string> {
    return (await page.locator(selector).textContent()) ?? "";
  }

  async function shows(what: string | RegExp): Promise<void> {
    await page.locator("main").getByText(what).first().waitFor();
  }

  /** Of a restore under way into `recovery`. */
  async function runningJob(more: Partial<JobView> = {}): Promise<string> {
    return await daemon.add(
      { kind: "apply", dump: DUMP, target: "recovery", options: {} },
      { state: "running", startedAt: new Date().toISOString(), progress: progressAt(21), ...more },
    );
  }

  /** A finished plan that empties scopes. */
  async function deletingPlan(): Promise<string> {
    const id = await daemon.add(
      { kind: "plan", dump: DUMP, target: "recovery", options: { mode: "replace" } },
      { state: "finished", result: { exitStatus: 0, verdict: "finished", deletes: true } },
    );
    daemon.jobs.plans.set(id, scenicPlan());
    return id;
  }

  async function finishRestore(id: string): Promise<void> {
    const totals = outcomes({ restored: 998, rejected: 2 });
    await daemon.keepReport(id, restoreReport(id, totals));
    daemon.jobs.listed.set(id, listedRecords(60));
    daemon.jobs.move(id, "finished", {
      endedAt: new Date().toISOString(),
      result: { exitStatus: 3, verdict: "records-left", totals },
      has: { plan: false, report: true, rejects: true },
    });
  }

  it("asks for a token, says that a wrong one is not accepted, and goes on with a right one", async () => {
    await page.goto(daemon.url);
    await page.getByLabel("Your token").fill("no-such-token");
    await page.keyboard.press("Enter");
    await page.getByText("This token was not accepted").waitFor();
    await page.getByLabel("Your token").fill(TOKENS.read);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Jobs" }).waitFor();
    expect(await text("header")).toContain("reader · may read");
  });

  it("leads with the keyboard alone from a new restore over its confirmed plan to the report", async () => {
    await show("#/jobs");
    await tabTo(page, "New");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "New restore", level: 1 }).waitFor();
    await tabTo(page, "Refuse what is not empty");
    await page.keyboard.press("ArrowUp");
    await tabTo(page, "Make the plan");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Plan: restore backups/prod/2026-11-25T0200 into recovery" }).waitFor();
    const planned = daemon.jobs.submissions.at(-1)?.request;
    expect(planned).toMatchObject({ kind: "plan", dump: DUMP, target: "recovery", options: { mode: "replace" } });

    const plan = page.url().split("/").at(-1) ?? "";
    daemon.jobs.plans.set(plan, scenicPlan());
    daemon.jobs.move(plan, "finished", {
      result: { exitStatus: 0, verdict: "finished", deletes: true },
      has: { plan: true, report: false, rejects: false },
    });
    await shows("This DELETES, in 6 scopes");
    await tabTo(page, "type the target's name");
    await page.keyboard.type("recovery");
    await page.keyboard.press("Enter");
    await page
      .getByRole("heading", { name: "Restore backups/prod/2026-11-25T0200 into recovery", exact: true })
      .waitFor();
    expect(daemon.jobs.submissions.at(-1)?.request).toEqual({
      kind: "apply",
      plan,
      confirm: "confirmation-of-the-plan",
    });

    const id = page.url().split("/").at(-1) ?? "";
    daemon.jobs.move(id, "running", { startedAt: new Date().toISOString() });
    daemon.jobs.emit(id, { type: "progress", progress: progressAt(21) });
    await shows("21 of 40");
    await finishRestore(id);
    await shows("The restore finished: 2 records could not be restored.");
    await tabTo(page, "Download the report");
    const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
    expect(download.suggestedFilename()).toBe(`apply-${id}-report.json`);
  });

  it("enables what deletes only once the target's name is typed", async () => {
    await show(`#/jobs/${await deletingPlan()}`);
    const button = page.getByRole("button", { name: "Delete and restore" });
    expect(await button.isDisabled()).toBe(true);
    await page.getByLabel("type the target's name").fill("recover");
    expect(await button.isDisabled()).toBe(true);
    await page.getByLabel("type the target's name").fill("recovery");
    expect(await button.isDisabled()).toBe(false);
  });

  it("takes over into a new plan what its form does not ask for, and says it", async () => {
    const options = { mode: "merge", onAmbiguous: "stop", verify: true } as const;
    const like = await daemon.add({ kind: "apply", dump: DUMP, target: "recovery", options }, { state: "failed" });
    await show(`#/jobs/${like}`);
    await page.getByRole("link", { name: "New plan like this" }).click();
    await shows("Messages in doubt: stop");
    await page.getByRole("button", { name: "Make the plan" }).click();
    await page.waitForURL((url) => url.hash.startsWith("#/jobs/") && !url.hash.endsWith(like));
    const plan = daemon.jobs.get(page.url().split("/").at(-1) ?? "");
    expect(plan).toMatchObject({ kind: "plan", options: { mode: "merge", onAmbiguous: "stop" } });
  });

  it("shows who may not delete why there is no button", async () => {
    await show(`#/jobs/${await deletingPlan()}`, TOKENS.restore);
    await shows("You cannot carry this out: the token restoreer may not delete.");
    expect(await page.getByRole("button", { name: "Delete and restore" }).count()).toBe(0);
  });

  it("shows who may only read no buttons that act, and says why", async () => {
    await show(`#/jobs/${await runningJob()}`, TOKENS.read);
    await shows("You look on: the token reader may read.");
    expect(await page.locator("main").getByRole("button").count()).toBe(0);
  });

  it("shows whoever may not delete why a job that deletes cannot be resumed", async () => {
    const id = await runningJob({ deletes: true });
    await show(`#/jobs/${id}`, TOKENS.restore);
    await page.getByRole("button", { name: "Pause" }).click();
    await shows("This job deletes: to resume it takes a token that may delete, and restoreer may not.");
    expect(await page.getByRole("button", { name: "Resume" }).count()).toBe(0);
    await page.getByRole("button", { name: "Cancel job…" }).waitFor();
  });

  it("pauses and resumes a job, and cancels it only after asking", async () => {
    await show(`#/jobs/${await runningJob()}`);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await page.getByRole("button", { name: "Cancel job…" }).click();
    await page.getByRole("button", { name: "Let it go on" }).click();
    expect(await text(".title")).toContain("running");
    await page.getByRole("button", { name: "Cancel job…" }).click();
    await page.getByRole("button", { name: "Cancel the job" }).click();
    await page.locator(".title").getByText("cancelled").waitFor();
  });

  it("shows a job as it is when it is opened, and follows it from there", async () => {
    const id = await runningJob({ progress: progressAt(8) });
    for (let scopes = 9; scopes < 30; scopes++)
      daemon.jobs.emit(id, { type: "progress", progress: progressAt(scopes) });
    daemon.jobs.move(id, "running", { progress: progressAt(30) });
    const following = page.waitForRequest((request) => request.url().endsWith("/events"));
    await show(`#/jobs/${id}`);
    await shows("Done (30)");
    expect(await (await following).headerValue("last-event-id")).toBe(String(daemon.jobs.get(id).lastEvent));
    daemon.jobs.emit(id, { type: "progress", progress: progressAt(31) });
    await shows("Done (31)");
  });

  it("says why a restore is held, also when it is held again for something else, and resumes it", async () => {
    const id = await runningJob();
    await show(`#/jobs/${id}`);
    for (const message of ["the target takes no more data", "the target is gone"]) {
      daemon.jobs.move(id, "held", { error: { code: "OUTAGE", message, hint: "Resume the job." } });
      await shows(message);
    }
    expect(await text()).not.toContain("takes no more data");
    await page.getByRole("button", { name: "Cancel job…" }).waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.locator(".title").getByText("running").waitFor();
    await expect.poll(() => text()).not.toContain("the target is gone");
  });

  it("changes limits while the job runs", async () => {
    const id = await runningJob();
    await show(`#/jobs/${id}`);
    await page.getByLabel("Rate limit").fill("redis=500ops/s");
    await page.getByRole("button", { name: "Change limits" }).click();
    await shows("Now: redis=500ops/s, usual concurrency");
    expect(daemon.jobs.get(id).limits).toEqual({ rateLimit: "redis=500ops/s" });
  });

  it("says that the connection is lost, and knows all that happened once it is back", async () => {
    const id = await runningJob();
    await show(`#/jobs/${id}`);
    await shows("21");
    await daemon.cut();
    await page.getByText("Connection lost since").first().waitFor();
    expect(await text(".title")).toContain("running");
    expect(await page.locator("body.is-stale").count()).toBe(1);
    daemon.jobs.move(id, "paused");
    daemon.jobs.emit(id, { type: "progress", progress: progressAt(36) });
    daemon.jobs.emit(id, { type: "warning", text: "a warning that nobody saw" });
    await daemon.mend();
    await page.getByRole("button", { name: "Try now" }).click();
    await page.locator(".title").getByText("paused").waitFor();
    await shows("a warning that nobody saw");
    expect(await page.getByText("Done (36)").isVisible()).toBe(true);
    expect(await page.locator("#connection").isVisible()).toBe(false);
  });

  it("brings the list of jobs up to date after a lost connection", async () => {
    const id = await runningJob();
    await show("#/jobs");
    await shows("records in");
    await daemon.cut();
    await page.getByText("Connection lost since").first().waitFor();
    await finishRestore(id);
    await daemon.mend();
    await page.getByRole("button", { name: "Try now" }).click();
    await shows("finished, records left over");
    expect(await text()).toContain("Nothing is under way.");
  });

  it("shows names from a dump as text, whatever they hold", async () => {
    const evil = 'redis/<img src=x onerror="document.title=1">\u202edb_0';
    await show(`#/jobs/${await runningJob({ progress: { scopes: [scopeProgress(evil)] } })}`);
    await shows('redis: <img src=x onerror="document.title=1">\\u{202e}db_0');
    expect(await page.locator("main img").count()).toBe(0);
  });

  it("searches and browses records that were not restored", async () => {
    const id = await runningJob();
    await finishRestore(id);
    await show(`#/jobs/${id}`);
    await shows("25 records shown, and there are more.");
    await page.getByRole("button", { name: "Show more" }).click();
    await shows("50 records shown, and there are more.");
    expect(await text(".cards tbody")).toContain("000049.jsonl");
    await page.getByLabel("Outcome").selectOption("failed");
    await shows("20 records shown.");
    await page.getByLabel("Search key, place, reason").fill("000034");
    await page.keyboard.press("Enter");
    await shows("1 record shown.");
    expect(await text(".cards tbody")).toContain("given up after 5 min");
  });

  it("lets the values of the drills' chart be read with the arrow keys, and in a table", async () => {
    await show("#/schedules/nightly-prod");
    await page.locator("svg .run[tabindex='0']").focus();
    await page.keyboard.press("Home");
    const first = await text(".reading");
    await page.keyboard.press("ArrowRight");
    expect(first).toMatch(/: passed, recovery time \d+ min.*, allowed 30 min/);
    expect(await text(".reading")).not.toBe(first);
    expect(await page.getByRole("region", { name: "Runs" }).locator("tbody tr").count()).toBe(45);
  });

  it("moves the focus to the new heading when another view is shown", async () => {
    await show("#/jobs");
    await page.getByRole("link", { name: "Schedules" }).click();
    await page.locator("h1:focus", { hasText: "Schedules" }).waitFor();
    expect(await page.title()).toBe("Schedules · elastickv-restore");
  });

  it("has a name and a place in the tab order for every control", async () => {
    const running = await runningJob();
    const plan = await deletingPlan();
    const ready = [
      ["#/jobs", "records in"],
      [`#/jobs/${running}`, "Done (21)"],
      [`#/jobs/${plan}`, "This DELETES"],
      ["#/new/restore", "Make the plan"],
      ["#/new/drill", "Begin the drill"],
      ["#/schedules/nightly-prod", "Runs, the latest first"],
    ] as const;
    for (const [hash, sign] of ready) {
      await show(hash);
      await shows(sign);
      expect(await namelessControls(page), hash).toEqual([]);
      expect(await unreachedControls(page), hash).toEqual([]);
    }
  });

  it("fits a phone without moving sideways", async () => {
    await open(PHONE);
    const running = await runningJob();
    const finished = await runningJob();
    await finishRestore(finished);
    const plan = await deletingPlan();
    const ready = [
      ["#/jobs", "records in"],
      [`#/jobs/${running}`, "Done (21)"],
      [`#/jobs/${finished}`, "25 records shown"],
      [`#/jobs/${plan}`, "This DELETES"],
      ["#/new/restore", "Make the plan"],
      ["#/schedules/nightly-prod", "Runs, the latest first"],
    ] as const;
    for (const [hash, sign] of ready) {
      await show(hash);
      await shows(sign);
      expect(await overflow(page), hash).toBeLessThanOrEqual(0);
    }
  });

  it.each(["light", "dark"] as const)("has enough contrast in its %s colours", async (colorScheme) => {
    await open({ colorScheme });
    await runningJob();
    const finished = await runningJob();
    await finishRestore(finished);
    const plan = await deletingPlan();
    const seen: readonly (readonly [hash: string, sign: string, selectors: readonly string[]])[] = [
      [
        "#/jobs",
        "records in",
        ["h1", ".jobs a", ".note", ".badge.busy", ".badge.warn", ".badge.good", "header nav a", ".who"],
      ],
      [
        `#/jobs/${plan}`,
        "This DELETES",
        [".notice.deletes li", "td .deleting", ".tile.bad b", ".tile span", "button:disabled"],
      ],
      [`#/jobs/${finished}`, "25 records shown", [".verdict.warn", ".help, .note", "thead th", "td.code bdi", "label"]],
      ["#/new/restore", "Make the plan", [".primary", ".option.deleting strong", ".help", ".summary"]],
    ];
    for (const [hash, sign, selectors] of seen) {
      await show(hash);
      await shows(sign);
      for (const selector of selectors) {
        await page.locator(selector).first().waitFor({ state: "attached" });
        expect(await contrastOf(page, selector), `${selector} in ${hash}`).toBeGreaterThanOrEqual(AA);
      }
    }
  });
});

function restoreReport(job: string, totals: ReturnType<typeof outcomes>) {
  return {
    reportVersion: 1,
    job,
    status: "finished",
    durationMs: 61_000,
    recordsRead: 1000,
    totals,
    scopes: [
      {
        adapter: "redis",
        scope: "db_0",
        target: "db_0",
        recordsRead: 1000,
        outcomes: { ...emptyTotals(), ...totals },
        bytesRestored: 4096,
        durationMs: 60_000,
        warnings: [],
      },
    ],
    thisProcess: { recordsPerSecond: 16.4 },
    warnings: [],
    notRestorable: [],
  };
}
