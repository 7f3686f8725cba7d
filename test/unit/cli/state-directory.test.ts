import { describe, expect, it } from "vitest";
import { stateDirectory, stateOption } from "../../../src/cli/state-directory.js";

const io = (env: Record<string, string> = {}) => ({ cwd: "/here", env: { HOME: "/home/me", ...env } });

describe("the state directory", () => {
  it.each([
    [{}, {}, "/home/me/.local/state/elastickv-restore"],
    [{}, { XDG_STATE_HOME: "/xdg" }, "/xdg/elastickv-restore"],
    [{}, { XDG_STATE_HOME: "relative" }, "/home/me/.local/state/elastickv-restore"],
    [{}, { ELASTICKV_RESTORE_STATE_DIR: "jobs", XDG_STATE_HOME: "/xdg" }, "/here/jobs"],
    [{}, { ELASTICKV_RESTORE_STATE_DIR: "" }, "/home/me/.local/state/elastickv-restore"],
    [{ stateDir: "/given" }, { ELASTICKV_RESTORE_STATE_DIR: "/env" }, "/given"],
  ])("of %j and %j is %s", (args, env, directory) => {
    expect(stateDirectory(args, io(env))).toBe(directory);
  });
});

describe("commands that are told to people", () => {
  it("name it when it is not the default, as a shell takes it", () => {
    expect(stateOption({ stateDir: "jobs" }, io())).toBe(" --state-dir /here/jobs");
    expect(stateOption({}, io({ ELASTICKV_RESTORE_STATE_DIR: "/it's here" }))).toBe(` --state-dir '/it'\\''s here'`);
  });
  it("do not name the default", () => {
    expect(stateOption({}, io())).toBe("");
    expect(stateOption({ stateDir: "/home/me/.local/state/elastickv-restore" }, io())).toBe("");
  });
});
