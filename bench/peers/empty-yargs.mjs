/** The least that a command line of Node with yargs can be: what `--help` is compared with. */
import yargs from "yargs";

await yargs(process.argv.slice(2)).command("apply [dump]", "restore a dump").help().parseAsync();
