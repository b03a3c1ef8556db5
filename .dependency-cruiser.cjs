/** The architecture, as rules. `npx depcruise packages/*\/src -T mermaid` draws it. */
const layers = {
  pubsub: [],
  honker: [],
  "drizzle-honker": ["honker"],
  testkit: ["honker"],
};

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    ...Object.entries(layers).map(([from, allowed]) => ({
      name: `${from}-imports-only-${allowed.join("-") || "nothing"}`,
      severity: "error",
      from: { path: `^packages/${from}/` },
      to: { path: "^packages/", pathNot: `^packages/(${[from, ...allowed].join("|")})/` },
    })),
    {
      name: "enter-other-packages-through-their-exports",
      severity: "error",
      from: { path: "^packages/([^/]+)/" },
      to: { path: "^packages/[^/]+/src/[^/]+/", pathNot: "^packages/$1/" },
    },
    {
      name: "drizzle-honker-imports-honker-types-only",
      severity: "error",
      from: { path: "^packages/drizzle-honker/" },
      to: { path: "^packages/honker/", dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.base.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: "dist",
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@alkdev/source", "types", "import", "default"],
    },
  },
};
