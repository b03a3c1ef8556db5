import { defineConfig } from "vitest/config";

const conditions = ["@alkdev/source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // many tests wait for other processes; the default leaves one core of two idle
    maxWorkers: "100%",
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["{packages/*,examples}/test/**/*.test.ts"],
          // generous, since a test never waits for time to pass and machines may be busy
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: "types",
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            tsconfig: "tsconfig.test.json",
            include: ["packages/*/test/**/*.test-d.ts"],
          },
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["e2e/**/*.e2e.ts"],
          testTimeout: 30_000,
          // programs of several processes each: one after the other, when the rest is done
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
