/** The command line's grammar: words in, a command with its arguments or a text for people out. */
import yargs, { type Argv } from "yargs";
import { RestoreError } from "../errors/restore-error.js";
import { nearest } from "../support/nearest.js";
import type { Command } from "./commands.js";
import { version } from "./version.js";

const EXIT_STATUSES = `Exit status: 0 all restored or skipped by policy; 1 stopped; 2 wrong usage; 3 finished, but records
were rejected, failed or left ambiguous; 4 the dump is not acceptable; 5 the target is not acceptable; 6 verify
found differences, or a drill failed; 130, 143 interrupted: the message says how to resume.`;

export type Parsed = { readonly output: string } | { readonly command: Command; readonly args: unknown };

/** @throws RestoreError USAGE */
export async function parse(argv: readonly string[], commands: readonly Command[]): Promise<Parsed> {
  assertFlags(argv, commands);
  let chosen: { command: Command; args: unknown } | undefined;
  const asksHelp = argv.some((word) => HELP.test(word));
  const parser = commands.reduce(
    (building, command) =>
      withCommand(building, asksHelp ? command : quiet(command), (args) => (chosen = { command, args })),
    base(),
  );
  return await new Promise((resolve, reject) => {
    void parser.parse(withoutDoubleDash(argv), {}, (error: unknown, _args: unknown, output: string) => {
      if (error) reject(usageError(error, argv, commands));
      else if (output !== "") resolve({ output });
      else if (chosen === undefined) reject(usageError(new Error("no command"), argv, commands));
      else resolve(chosen);
    });
  });
}

const HELP = /^--help|^-\w*h/;

/** The parser writes out a command's help whether or not it is asked for, which takes longer than all the rest of it. */
function quiet(command: Command): Command {
  const options = Object.entries(command.options).map(([name, option]) => [name, { ...option, hidden: true }] as const);
  return { ...command, options: Object.fromEntries(options), examples: [] };
}

/** `--dry-run=yes` would read as no: a flag that is given a value has to be given one that nobody can misread. */
function assertFlags(argv: readonly string[], commands: readonly Command[]): void {
  const flags = flagsOf(commands);
  const end = argv.indexOf("--");
  for (const word of end < 0 ? argv : argv.slice(0, end)) {
    const [, given = "", value = ""] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
    // The parser takes `--dryRun` as well.
    const name = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (flags.has(name) && value !== "true" && value !== "false") {
      throw new RestoreError("USAGE", `--${name} does not take "${value}"`, {
        hint: `It takes no value: say --${name}, or leave it out.`,
      });
    }
  }
}

function flagsOf(commands: readonly Command[]): ReadonlySet<string> {
  return new Set(
    commands
      .flatMap(({ options }) => Object.entries(options))
      .filter(([, { type }]) => type === "boolean")
      .flatMap(([name, { alias = [] }]) => [name, ...[alias].flat()]),
  );
}

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

function usageError(error: unknown, argv: readonly string[], commands: readonly Command[]): RestoreError {
  const message = error instanceof Error ? error.message : String(error);
  const unknown = /^Unknown (?:argument|command)s?: (.+)$/.exec(message)?.[1]?.split(", ")[0];
  const command = commands.find(({ name }) => name === argv[0]);
  const help = `\`elastickv-restore ${command === undefined ? "" : `${argv[0]} `}--help\` lists what there is.`;
  if (/^Not enough non-option/.test(message) && command !== undefined) {
    return new RestoreError("USAGE", `${argv[0]} needs ${neededBy(command)}: elastickv-restore ${command.usage}`, {
      hint: help,
    });
  }
  if (unknown === undefined) return new RestoreError("USAGE", decapitalized(message), { hint: help });
  const isOption = argv.some((word) => word.replace(/=.*/s, "") === `--${unknown}` || word === `-${unknown}`);
  // A word too many behind a command is no other command.
  if (!isOption && command !== undefined)
    return new RestoreError("USAGE", `unexpected word ${unknown}`, { hint: help });
  const known = isOption ? Object.keys(command?.options ?? {}) : commands.map(({ name }) => name);
  const near = nearest(unknown, known)[0];
  const mark = isOption ? "--" : "";
  const hint = near === undefined ? help : `Did you mean ${mark}${near}? ${help}`;
  return new RestoreError("USAGE", `unknown ${isOption ? "option" : "word"} ${mark}${unknown}`, { hint });
}

/** `apply <dump>`: a dump. */
function neededBy({ usage }: Command): string {
  const name = /<(\w+)>/.exec(usage)?.[1] ?? "word";
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
}

function decapitalized(message: string): string {
  return message.replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase());
}
