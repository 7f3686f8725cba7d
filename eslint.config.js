/**
 * What the formatter's linter cannot see: promises that nobody waits for (needs types), and things that have one home.
 * Everything else about style is Biome's.
 */
import tseslint from "typescript-eslint";

const DATE_NOW = { object: "Date", property: "now", message: "Ask the clock of support/clock." };
const JSON_PARSE = {
  object: "JSON",
  property: "parse",
  message: "It loses digits, duplicate keys and order; support/json does not.",
};
const NEW_DATE = {
  selector: "NewExpression[callee.name='Date'][arguments.length=0]",
  message: "Ask the clock of support/clock.",
};
const PROCESS = { name: "process", message: "Arguments, environment, streams and exit belong to the command line." };

export default tseslint.config(
  { ignores: ["dist/", ".cache/", "node_modules/", "coverage/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["{src,test,testcontainers,scripts,bench,bin}/**/*.{ts,js,mjs}"],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: {
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
    },
  },
  {
    files: ["src/**"],
    rules: {
      "max-lines": ["error", 500],
      "max-lines-per-function": ["error", 80],
      "no-restricted-globals": ["error", PROCESS],
      "no-restricted-properties": ["error", DATE_NOW, JSON_PARSE],
      "no-restricted-syntax": ["error", NEW_DATE],
    },
  },
  // The homes.
  {
    files: ["src/support/clock.ts"],
    rules: { "no-restricted-properties": "off", "no-restricted-syntax": "off" },
  },
  { files: ["src/cli/**"], rules: { "no-restricted-globals": "off" } },
  // These read back what this program itself wrote, or what a user configured; never a dump's data.
  {
    files: [
      "src/cli/**",
      "src/run/**",
      "src/daemon/{jobs,schedules}/**",
      "src/daemon/reports.ts",
      "src/support/json.ts",
      "src/readers/sorter.ts",
    ],
    rules: { "no-restricted-properties": ["error", DATE_NOW] },
  },
);
