/** What to restore and under which names, from `--adapter`, `--scope`, `--include`, `--exclude` and `--rename`. */
import { RestoreError } from "../errors/restore-error.js";
import type { Adapter } from "../model/scope.js";
import type { SelectionOptions } from "../run/selection.js";
import { globToRegExp } from "../support/glob.js";
import { parseAdapter, usage } from "./quantities.js";

export interface SelectionArguments {
  readonly adapter?: readonly string[];
  readonly scope?: readonly string[];
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly rename?: readonly string[];
}

/** @throws RestoreError USAGE */
export function parseSelection(args: SelectionArguments): SelectionOptions {
  const adapters = (args.adapter ?? [])
    .flatMap((text) => text.split(","))
    .map((text) => parseAdapter(text, "--adapter"));
  const scopes = (args.scope ?? []).flatMap(parseScopes);
  const stray = scopes.find(({ adapter }) => adapters.length > 0 && !adapters.includes(adapter));
  if (stray !== undefined) {
    throw new RestoreError("USAGE", `--scope names a ${stray.adapter} scope that --adapter leaves out`, {
      hint: `Add ${stray.adapter} to --adapter, or leave --adapter out.`,
    });
  }
  const renames = (args.rename ?? []).map(parseRename);
  const again = renames.find(({ adapter, from }, i) =>
    renames.slice(0, i).some((before) => before.adapter === adapter && before.from === from),
  );
  if (again !== undefined) {
    throw new RestoreError("USAGE", `--rename gives ${again.adapter}:${again.from} two names`, {
      hint: "Name each scope once; of a name and a pattern that both fit, the one that stands first counts.",
    });
  }
  return {
    ...(adapters.length === 0 ? {} : { adapters: [...new Set(adapters)] }),
    scopes,
    include: (args.include ?? []).map((glob) => parseGlob(glob, "--include")),
    exclude: (args.exclude ?? []).map((glob) => parseGlob(glob, "--exclude")),
    renames,
  };
}

function parseGlob(text: string, option: string): string {
  try {
    globToRegExp(text);
    return text;
  } catch {
    throw usage(option, text, "a glob: * any characters, ? one, [a-z] one of a set, \\ the next literally");
  }
}

/** `dynamodb=orders,users`, `redis=0` or `redis=db_0`. */
function parseScopes(text: string): { adapter: Adapter; name: string }[] {
  const at = text.indexOf("=");
  if (at < 1) throw usage("--scope", text, "an adapter and names: dynamodb=orders,users");
  const adapter = parseAdapter(text.slice(0, at), "--scope");
  return text
    .slice(at + 1)
    .split(",")
    .map((name) => ({ adapter, name: scopeName(adapter, name, "--scope") }));
}

/** `dynamodb:orders=orders_copy`, `redis:0=3`, `sqs:*=dr-*`. */
function parseRename(text: string): SelectionOptions["renames"][number] {
  const match = /^([a-z0-9]+):([^=]+)=(.+)$/.exec(text);
  const [, adapterText = "", from = "", to = ""] = match ?? [];
  const stars = [from, to].map((name) => name.split("*").length - 1);
  if (match === null || stars[0] !== stars[1] || (stars[0] ?? 0) > 1) {
    throw usage(
      "--rename",
      text,
      "adapter:from=to, with one * in both names or in neither: dynamodb:orders=orders_copy",
    );
  }
  const adapter = parseAdapter(adapterText, "--rename");
  return { adapter, from: scopeName(adapter, from, "--rename"), to: scopeName(adapter, to, "--rename") };
}

function scopeName(adapter: Adapter, name: string, option: string): string {
  if (name === "") throw usage(option, name, "names that are not empty");
  if (adapter !== "redis") return name;
  if (/^(?:db_)?(?:0|[1-9]\d{0,9})$/.test(name)) return `db_${name.replace(/^db_/, "")}`;
  throw usage(option, name, "a database number for redis: redis=0, redis:0=3");
}
