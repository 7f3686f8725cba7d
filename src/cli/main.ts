/** From words to an exit status: parses the command line, runs one command, and turns what it throws into a message. */
import { createRequire } from "node:module";
import yargs, { type Argv } from "yargs";
import { EXIT } from "../errors/codes.js";
import { RestoreError } from "../errors/restore-error.js";
import { nearest } from "../run/selection.js";
import type { Command } from "./command.js";
import { apply } from "./commands/apply.js";
import { inspect } from "./commands/inspect.js";
import { plan } from "./commands/plan.js";
import { reseal } from "./commands/reseal.js";
import { verify } from "./commands/verify.js";
import type { Io } from "./io.js";
import { print } from "./output.js";
import { errorText } from "./text.js";

const COMMANDS: readonly Command[] = [apply, plan, verify, inspect, reseal];

const EXIT_STATUSES = `Exit status: 0 all restored or skipped by policy; 1 stopped; 2 wrong usage; 3 finished, but records
were rejected, failed or left ambiguous; 4 the dump is not acceptable; 5 the target is not acceptable;
130, 143 interrupted.`;

/** Runs one command. Never throws and never ends the process. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    const parsed = await parse(argv);
    if ("output" in parsed) {
      await print(io.stdout, `${parsed.output}\n`);
      return EXIT.ok;
    }
    return await parsed.command.run(parsed.args as never, io);
  } catch (error) {
    const thrown = interruption(error, io) ?? error;
    // Where messages cannot be written either, the exit status is all that is left.
    await print(io.stderr, errorText(thrown)).catch(() => undefined);
    return thrown instanceof RestoreError ? thrown.exitStatus : EXIT.stopped;
  }
}

/** What an aborted signal made some library throw. */
function interruption(error: unknown, { signal }: Io): RestoreError | undefined {
  if (signal?.aborted !== true || error instanceof RestoreError) return undefined;
  return new RestoreError("INTERRUPTED", "interrupted", { cause: error });
}

type Parsed = { readonly output: string } | { readonly command: Command; readonly args: unknown };

async function parse(argv: readonly string[]): Promise<Parsed> {
  assertFlags(argv);
  let chosen: { command: Command; args: unknown } | undefined;
  const parser = COMMANDS.reduce(
    (building, command) => withCommand(building, command, (args) => (chosen = { command, args })),
    base(),
  );
  return await new Promise((resolve, reject) => {
    void parser.parse(withoutDoubleDash(argv), {}, (error: unknown, _args: unknown, output: string) => {
      if (error) reject(usageError(error, argv));
      else if (output !== "") resolve({ output });
      else if (chosen === undefined) reject(usageError(new Error("no command"), argv));
      else resolve(chosen);
    });
  });
}

/** `--dry-run=yes` would read as no: a flag that is given a value has to be given one that nobody can misread. */
function assertFlags(argv: readonly string[]): void {
  const end = argv.indexOf("--");
  for (const word of end < 0 ? argv : argv.slice(0, end)) {
    const [, given = "", value = ""] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
    // The parser takes `--dryRun` as well.
    const name = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (FLAGS.has(name) && value !== "true" && value !== "false") {
      throw new RestoreError("USAGE", `--${name} does not take "${value}"`, {
        hint: `It takes no value: say --${name}, or leave it out.`,
      });
    }
  }
}

const FLAGS: ReadonlySet<string> = new Set(
  COMMANDS.flatMap(({ options }) => Object.entries(options))
    .filter(([, { type }]) => type === "boolean")
    .flatMap(([name, { alias = [] }]) => [name, ...[alias].flat()]),
);

/** Words behind `--` are paths, which the parser would not give to a command. */
function withoutDoubleDash(argv: readonly string[]): string[] {
  const end = argv.indexOf("--");
  if (end < 0) return [...argv];
  return [...argv.slice(0, end), ...argv.slice(end + 1).map((path) => (path.startsWith("-") ? `./${path}` : path))];
}

function base(): Argv {
  return yargs()
    .scriptName("elastickv-restore")
    .usage("elastickv-restore: restores elastickv's logical dumps through public endpoints\n\n$0 <command> [options]")
    .locale("en")
    .version(version())
    .help()
    .alias("help", "h")
    .parserConfiguration({
      "boolean-negation": false,
      // Or of a repeated option only the last one would be kept, also where all of them are meant.
      "duplicate-arguments-array": true,
      "parse-positional-numbers": false,
    })
    .strict()
    .exitProcess(false)
    .showHelpOnFail(false)
    .demandCommand(1, "no command")
    .wrap(110)
    .epilogue(EXIT_STATUSES);
}

function withCommand(parser: Argv, command: Command, choose: (args: unknown) => void): Argv {
  return parser.command(
    command.usage,
    command.summary,
    (builder) => {
      for (const [name, describe] of Object.entries(command.positionals)) {
        builder.positional(name, { type: "string", describe });
      }
      for (const [line, does] of command.examples) builder.example(line, does);
      return builder.options(command.options);
    },
    choose,
  );
}

function version(): string {
  const manifest: unknown = createRequire(import.meta.url)("../../package.json");
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "";
}

function usageError(error: unknown, argv: readonly string[]): RestoreError {
  const message = error instanceof Error ? error.message : String(error);
  const unknown = /^Unknown (?:argument|command)s?: (.+)$/.exec(message)?.[1]?.split(", ")[0];
  const command = COMMANDS.find(({ usage }) => usage.split(" ")[0] === argv[0]);
  const help = `\`elastickv-restore ${command === undefined ? "" : `${argv[0]} `}--help\` lists what there is.`;
  if (/^Not enough non-option/.test(message) && command !== undefined) {
    return new RestoreError("USAGE", `${argv[0]} needs a dump: elastickv-restore ${command.usage}`, { hint: help });
  }
  if (unknown === undefined) return new RestoreError("USAGE", decapitalized(message), { hint: help });
  const isOption = argv.some((word) => word.replace(/=.*/s, "") === `--${unknown}` || word === `-${unknown}`);
  // A word too many behind a command is no other command.
  if (!isOption && command !== undefined)
    return new RestoreError("USAGE", `unexpected word ${unknown}`, { hint: help });
  const known = isOption ? Object.keys(command?.options ?? {}) : COMMANDS.map(({ usage }) => usage.split(" ")[0] ?? "");
  const near = nearest(unknown, known)[0];
  const mark = isOption ? "--" : "";
  const hint = near === undefined ? help : `Did you mean ${mark}${near}? ${help}`;
  return new RestoreError("USAGE", `unknown ${isOption ? "option" : "word"} ${mark}${unknown}`, { hint });
}

function decapitalized(message: string): string {
  return message.replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase());
}
