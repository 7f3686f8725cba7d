/** The page's files: read once, the same for everybody. They hold nothing, so nobody is asked for a token. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import * as z from "zod";
import { textSchema } from "../../schema/http.js";
import type { App } from "../app.js";
import { NO_TOKEN } from "../openapi.js";
import { content, openFaults } from "../schema-answers.js";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};
const INDEX = "index.html";

export interface PageFile {
  readonly path: string;
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
}

/** Those of its files that browsers ask for. @throws the system's error */
export async function readPage(folder: string): Promise<PageFile[]> {
  const files: PageFile[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const bytes = await readFile(join(folder, name));
    const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
    files.push({ path: name === INDEX ? "/" : `/${name}`, type, bytes, etag });
  }
  return files;
}

export function pageRoutes(app: App, files: readonly PageFile[]): void {
  for (const { path, type, bytes, etag } of files) {
    app.get(
      path,
      {
        config: { role: "anyone" },
        schema: {
          tags: ["page"],
          summary: path === "/" ? "The page" : "A file of the page",
          security: NO_TOKEN,
          response: {
            200: content(type, textSchema, "The file."),
            304: z.null().describe("The client has it."),
            ...openFaults(),
          },
        },
      },
      async ({ headers }, reply) => {
        void reply.header("etag", etag).header("cache-control", "no-cache");
        if (headers["if-none-match"] === etag) return reply.code(304).send(undefined as never);
        return reply.type(`${type}; charset=utf-8`).send(bytes as never);
      },
    );
  }
}
