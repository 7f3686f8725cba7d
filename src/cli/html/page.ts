/** What reports as pages have in common: one file that loads nothing, runs nothing, and shows what it is given as text. */
import { html, type Markup } from "./markup.js";
import { STYLE } from "./style.js";

export function page(title: string, body: readonly (Markup | undefined)[]): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body.filter((part) => part !== undefined)}
</main>
</body>
</html>
`.text;
}

export function section(title: string, body: Markup | undefined): Markup | undefined {
  return body === undefined ? undefined : html`<section><h2>${title}</h2>${body}</section>`;
}

export function list(items: readonly string[]): Markup | undefined {
  return items.length === 0 ? undefined : html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;
}

export function facts(rows: readonly (readonly [name: string, value: string])[]): Markup {
  return html`<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

export function tiles(all: readonly (readonly [value: string, name: string])[]): Markup {
  return html`<div class="tiles">${all.map(([value, name]) => html`<div class="tile"><b>${value}</b><span>${name}</span></div>`)}</div>`;
}

/** `2026-11-25 19:33:07 UTC`. */
export function time(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}
