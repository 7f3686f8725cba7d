/** The layers of ARCHITECTURE.md as rules: who may import whom, and where protocol clients may be used. */

/** A folder of `src` may import only itself and what stands here. */
const MAY_IMPORT = {
  cli: ["daemon", "run", "readers", "replayers", "modes", "model", "errors", "support"],
  daemon: ["run", "modes", "model", "errors", "support"],
  run: ["readers", "replayers", "modes", "model", "errors", "support"],
  readers: ["model", "errors", "support"],
  replayers: ["model", "errors", "support"],
  modes: ["model", "errors", "support"],
  model: [],
  errors: ["model"],
  support: ["errors"],
};

const layers = Object.entries(MAY_IMPORT).map(([from, to]) => ({
  name: `${from}-imports-its-layers-only`,
  severity: "error",
  from: { path: `^src/${from}/` },
  to: { path: "^src/", pathNot: `^src/(${[from, ...to].join("|")})/` },
}));

/** Each adapter is one folder; what they share stands above them. */
const adapters = ["dynamodb", "s3", "redis", "sqs"].map((adapter) => ({
  name: `${adapter}-replayer-knows-no-other`,
  severity: "error",
  from: { path: `^src/replayers/${adapter}/` },
  to: { path: "^src/replayers/[^/]+/", pathNot: `^src/replayers/${adapter}/` },
}));

const CLIENT_HOMES = {
  "@aws-sdk/client-dynamodb": "^src/replayers/dynamodb/",
  "@aws-sdk/client-s3": "^src/replayers/s3/",
  "@aws-sdk/client-sqs": "^src/replayers/sqs/",
  ioredis: "^src/replayers/redis/",
  yargs: "^src/cli/",
  "cli-progress": "^src/cli/",
  fastify: "^src/daemon/http/",
  "@fastify/swagger": "^src/daemon/http/",
  "fastify-type-provider-zod": "^src/daemon/http/",
  "prom-client": "^src/daemon/http/",
  pino: "^src/daemon/",
  croner: "^src/daemon/schedules/",
};

const clients = Object.entries(CLIENT_HOMES).map(([client, home]) => ({
  name: `${client.replace(/\W/g, "-")}-has-one-home`,
  severity: "error",
  from: { path: "^src/", pathNot: home },
  to: { path: `node_modules/${client}/` },
}));

module.exports = {
  forbidden: [
    ...layers,
    ...adapters,
    ...clients,
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "src-knows-no-tests",
      severity: "error",
      from: { path: "^(src|bin)/" },
      to: { path: "^(test|scripts|bench)/" },
    },
    {
      name: "servers-are-started-by-the-command-line",
      severity: "error",
      from: { path: "^(src|bin)/", pathNot: "^src/cli/" },
      to: { path: "^testcontainers/" },
    },
    {
      name: "servers-know-nobody",
      severity: "error",
      from: { path: "^testcontainers/" },
      to: { path: "^(src|test|scripts|bench|bin)/" },
    },
    {
      name: "command-line-is-imported-by-nothing-below",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/cli/" },
      to: { path: "^src/cli/" },
    },
    {
      name: "index-is-for-users",
      severity: "error",
      from: { path: "^(src|bin|testcontainers)/" },
      to: { path: "^src/index\\.ts$" },
    },
    {
      name: "page-is-of-itself",
      comment: "A browser runs it; types of requests and answers it may know.",
      severity: "error",
      from: { path: "^src/daemon/public/" },
      to: { pathNot: "^src/daemon/public/" },
    },
    {
      name: "process-module-has-one-home",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(cli|daemon/jobs)/" },
      to: { dependencyTypes: ["core"], path: "^(node:)?(process|child_process|readline)" },
    },
    {
      name: "everything-resolves",
      severity: "error",
      from: { pathNot: "^(bin/|scripts/(demo|bench)\\.mjs$)" },
      to: { couldNotResolve: true },
    },
    {
      name: "src-uses-dependencies-only",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "servers-use-what-the-package-names",
      severity: "error",
      from: { path: "^testcontainers/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only", "npm-peer"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^dist/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] },
  },
};
