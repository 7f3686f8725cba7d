/** Which tests there are: `unit` needs nothing, `servers` starts real servers, `long` is run on its own. */
import { defineConfig } from "vitest/config";

/** Servers that the environment names serve every file, and tests empty them: then one file after another. */
const sharesServers = Object.keys(process.env).some((name) => /^ELASTICKV_RESTORE_TEST_.*_(URL|ENDPOINT)$/.test(name));

const BUILT_COMMAND = "test/support/built-command.ts";

export default defineConfig({
  test: {
    // The AWS SDK would print its own support calendar in every worker.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    // A test that asserts nothing cannot fail.
    expect: { requireAssertions: true },
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["test/unit/**/*.test.ts"], sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: "servers",
          include: ["test/{contract,integration,cli}/**/*.test.ts"],
          globalSetup: BUILT_COMMAND,
          // Each file starts servers of its own; two Java programs and a MinIO are enough at once.
          maxWorkers: sharesServers ? 1 : 2,
          testTimeout: 60_000,
          // A first start may have to install its server.
          hookTimeout: 600_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "long",
          include: ["test/long/**/*.test.ts"],
          globalSetup: BUILT_COMMAND,
          maxWorkers: 1,
          testTimeout: 3_600_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
