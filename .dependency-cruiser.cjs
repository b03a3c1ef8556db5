/** The architecture, as rules: which package may import which. `npm run arch` checks it. */
const layers = {
  honker: [],
  pubsub: [],
  operations: ["pubsub"],
  "drizzle-honker": ["honker"],
  storage: ["honker", "drizzle-honker", "pubsub", "operations"],
  transfer: ["honker", "drizzle-honker", "storage"],
  hub: ["storage", "operations", "pubsub", "honker", "transfer"],
  testkit: ["honker", "pubsub"],
};

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    ...Object.entries(layers).map(([from, allowed]) => ({
      name: `${from}-imports-only-${allowed.join("-") || "nothing"}`,
      severity: "error",
      from: { path: `^packages/${from}/src/` },
      to: { path: "^packages/", pathNot: `^packages/(${[from, ...allowed].join("|")})/` },
    })),
    {
      name: "enter-other-packages-through-their-exports",
      comment:
        "Only what package.json exports; a file below src/ of another package is its own affair.",
      severity: "error",
      from: { path: "^(packages/([^/]+)|examples|e2e)/" },
      to: {
        path: "^packages/[^/]+/src/.+/",
        pathNot: [
          "^packages/$2/",
          "^packages/storage/src/(graphs|sqlite|catalog)/index.ts$",
          "^packages/hub/src/spoke/index.ts$",
        ],
      },
    },
    {
      name: "graphs-know-no-database",
      comment: "@alkdev/storage/graphs must load without SQLite, Drizzle or an engine.",
      severity: "error",
      from: { path: "^packages/storage/src/graphs/" },
      to: { path: "^packages/(honker|drizzle-honker)/|drizzle-orm|better-sqlite3|/src/sqlite/" },
    },
    {
      name: "core-of-operations-needs-no-adapter",
      comment: "Libraries of adapters load with the subpath that needs them.",
      severity: "error",
      from: { path: "^packages/operations/src/index.ts$" },
      to: {
        path: "node_modules/(re2js|eventsource-parser|@modelcontextprotocol)/",
        reachable: true,
      },
    },
    {
      name: "spokes-know-no-hub",
      comment: "@alkdev/hub/spoke loads without server, metrics and command line.",
      severity: "error",
      from: { path: "^packages/hub/src/(spoke|journal|protocol)/" },
      to: {
        path: [
          "^packages/hub/src/(?!spoke/|journal/|protocol/|errors.ts)",
          "node_modules/(@hono|hono|prom-client|commander)/",
        ],
      },
    },
    {
      name: "one-file-knows-better-sqlite3",
      severity: "error",
      from: {
        path: "^packages/[^/]+/src/",
        pathNot: "^packages/honker/src/sqlite/better-sqlite3-connection.ts$",
      },
      to: { path: "better-sqlite3", pathNot: "^packages/" },
    },
    {
      name: "no-test-code-in-packages",
      severity: "error",
      from: { path: "^packages/(?!testkit)[^/]+/src/" },
      to: { path: "^packages/(testkit/|[^/]+/test/)|node_modules/(vitest|fast-check)/" },
    },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.base.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: "/dist/",
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@alkdev/source", "types", "import", "default"],
    },
  },
};
