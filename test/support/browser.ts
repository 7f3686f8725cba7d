/** The browser of this machine, and what tests ask of a page in it. */
import { type Browser, chromium, type Page } from "playwright-core";
import { findCommand, needCommand } from "../../testcontainers/cache.js";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/**
 * `ELASTICKV_RESTORE_TEST_CHROMIUM`, or the first Chromium on the PATH, which is installed where that can be done; undefined
 * where there is none.
 */
export async function findBrowser(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const named = env["ELASTICKV_RESTORE_TEST_CHROMIUM"];
  if (named !== undefined) return named;
  for (const name of NAMES) {
    const found = await findCommand(name);
    if (found !== undefined) return found;
  }
  return await needCommand("chromium", "chromium").catch(() => undefined);
}

export async function startBrowser(path: string): Promise<Browser> {
  // Its own sandbox cannot be had as root, and it opens no page but ours.
  return await chromium.launch({ executablePath: path, args: ["--no-sandbox"] });
}

/** What went wrong in a page: scripts that threw, and everything that its content policy refused. */
export function troublesOf(page: Page): string[] {
  const troubles: string[] = [];
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("console", (message) => {
    const text = message.text();
    // The browser itself tells of each answer that is no success; tests look at what the page makes of it.
    if (message.type() === "error" && !text.startsWith("Failed to load resource")) troubles.push(text);
  });
  return troubles;
}

/** By how many pixels the page is wider than its window. */
export async function overflow(page: Page): Promise<number> {
  return await page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

/** Controls without a name, by their markup. */
export async function namelessControls(page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(`
    [...document.querySelectorAll("a, button, input, select, textarea, progress, [role=img], [role=group], [tabindex='0']")]
      .filter((element) => element.checkVisibility())
      .filter((element) => {
        const name = element.getAttribute("aria-label") ?? element.textContent;
        const labels = [...(element.labels ?? [])].map((label) => label.textContent).join("");
        return (element.matches("input, select, textarea") ? labels : name).trim() === "";
      })
      .map((element) => element.outerHTML)`);
}

/** Controls that the tab key does not reach, by their markup; of radio buttons, one of each name is enough. */
export async function unreachedControls(page: Page): Promise<string[]> {
  await page.evaluate(
    "document.activeElement?.blur(); document.querySelectorAll('*').forEach((e) => delete e.dataset.met)",
  );
  const controls = await page.evaluate<number>(`${CONTROLS}.length`);
  for (let i = 0; i < controls + 5; i++) {
    await page.keyboard.press("Tab");
    await page.evaluate("document.activeElement.dataset.met = 'yes'");
  }
  return await page.evaluate<string[]>(`${CONTROLS}
    .filter((element) => element.dataset.met === undefined)
    .filter((element) => element.type !== "radio" || element.checked)
    .map((element) => element.outerHTML)`);
}

const CONTROLS = `[...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((element) => element.checkVisibility() && !element.disabled)`;

/** Presses the tab key until the control of this name has the focus. */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let i = 0; i < 100; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate<string>(`(() => {
      const element = document.activeElement;
      if (element === document.body) return "";
      return [...(element.labels ?? [])].map((label) => label.textContent).join("") || element.textContent;
    })()`);
    if (at.includes(name)) return;
  }
  throw new Error(`the tab key does not lead to ${name}`);
}

/** WCAG's contrast of an element's text with what is behind it; NaN where there is no such element. */
export async function contrastOf(page: Page, selector: string): Promise<number> {
  return await page.evaluate<number>(`(() => {
    const element = document.querySelector(${JSON.stringify(selector)});
    if (element === null) return Number.NaN;
    const channels = (color) => color.match(/[\\d.]+/g).map(Number);
    const luminance = (color) => {
      const [r, g, b] = channels(color).map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let behind = element;
    while (channels(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const pair = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor].map(luminance);
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  })()`);
}
