import { describe, expect, it } from "vitest";

import { optionalPackage } from "../../../testcontainers/optional-package.js";

describe("a package that need not be installed", () => {
  it("is named, with how to install it, when it is missing", async () => {
    const load = () => import("no-such-package-of-anybody" as string);
    await expect(optionalPackage("no-such-package-of-anybody", load)).rejects.toThrow(
      "the npm package no-such-package-of-anybody is not installed (npm install no-such-package-of-anybody)",
    );
  });

  it("is not blamed for what goes wrong inside of it", async () => {
    const load = () => Promise.reject(new Error("broken"));
    await expect(optionalPackage("p", load)).rejects.toThrow("broken");
  });
});
