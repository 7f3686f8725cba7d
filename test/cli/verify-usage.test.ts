/** How a comparison is asked for: what `verify` takes together, and what it refuses before it asks anything. */
import { describe, expect, it } from "vitest";
import { temporaryDump } from "../support/dump-builder.js";
import { runCli } from "../support/run-cli.js";

/** Nothing listens there: who asks it fails otherwise than by wrong usage. */
const NOWHERE = ["--redis-url", "redis://127.0.0.1:1"];

describe("verify", () => {
  it.each([
    [["--sample", "0%"], /--sample does not take "0%"/u],
    [["--sample", "101%"], /--sample does not take "101%"/u],
    [["--sample", "a few"], /--sample does not take "a few"/u],
    [["--sample-seed", "7"], /--sample-seed needs --sample/u],
    [["--tolerance", "soon"], /--tolerance does not take "soon"/u],
    [["--looks", "0"], /--looks does not take "0"/u],
    [["--looks", "1.5"], /--looks does not take "1.5"/u],
    [["--looks", "101"], /--looks does not take "101"/u],
    [["--look-again-after", "later"], /--look-again-after does not take "later"/u],
    [["--rebase-from", "2026-11-25T19:33:00Z"], /--rebase-from needs --ttl-policy rebase/u],
    [["--ttl-policy", "rebase"], /times count from when the restore began.*--rebase-from/su],
    [["--ttl-policy", "rebase", "--rebase-from", "noon"], /--rebase-from does not take "noon"/u],
    [["--checksums"], /--checksums checks the dump alone/u],
    [["--download=yes"], /does not take "yes"/u],
    [["--messages=yes"], /does not take "yes"/u],
    [["--repair=yes"], /does not take "yes"/u],
    [["--retry-of", "x.json"], /unknown option --retry-of/u],
  ])("with a target is refused with %j", async (words, message) => {
    const { status, stdout, stderr } = await runCli(["verify", "no-dump", ...NOWHERE, ...words]);
    expect(stderr).toMatch(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });

  it.each([
    ["--sample", "1%"],
    ["--sample-seed", "7"],
    ["--tolerance", "1s"],
    ["--download"],
    ["--messages"],
    ["--looks", "3"],
    ["--look-again-after", "1s"],
    ["--rebase-from", "2026-11-25T19:33:00Z"],
    ["--repair"],
    ["--report", "x.json"],
    ["--resume"],
  ])("of a dump alone is refused with %s, which is for a comparison", async (...words) => {
    const { status, stdout, stderr } = await runCli(["verify", "no-dump", ...words], { REDIS_URL: NOWHERE[1] });
    expect(stderr).toContain(`${words[0]} is for a comparison with targets`);
    expect(stderr).toContain("the environment alone starts no comparison");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });

  it("with endpoints in the environment alone checks the dump, and asks no target", async () => {
    const dump = await temporaryDump({ files: { "redis/db_0/strings/k.bin": "v" } });
    const { status, stdout, stderr } = await runCli(["verify", dump.path], { REDIS_URL: NOWHERE[1] });
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.any(String) });
    expect(stdout).not.toMatch(/differ/u);
    await dump.remove();
  });
});
