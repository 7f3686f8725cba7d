import { describe, expect, it } from "vitest";

import { reasonToInstall } from "../../../scripts/bootstrap.mjs";

const locked = {
  "": { version: "0.1.0" },
  "node_modules/one": { version: "1.0.0" },
  "node_modules/of-another-system": { version: "2.0.0", optional: true },
};

describe("deciding whether to install dependencies", () => {
  it("installs when nothing is installed", () => {
    expect(reasonToInstall(undefined, locked)).toBe("there are none");
  });

  it("installs nothing when all that is not for another system is there", () => {
    expect(reasonToInstall({ "node_modules/one": { version: "1.0.0" } }, locked)).toBeUndefined();
  });

  it("installs when a package is missing", () => {
    expect(reasonToInstall({}, locked)).toBe("node_modules/one is missing");
  });

  it("installs when a package has another version than the lock file's", () => {
    expect(reasonToInstall({ "node_modules/one": { version: "1.0.1" } }, locked)).toBe(
      "node_modules/one is not the one of the lock file",
    );
  });
});
