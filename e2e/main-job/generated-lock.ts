/** A lock file of version 3 with `count` packages, several versions of many of them, and cycles. */
export function generatedLock(count: number): string {
  const packages: Record<string, object> = {
    "": {
      name: "generated",
      version: "1.0.0",
      dependencies: range(20)
        .map((i) => i * 7)
        .reduce(dependency, {}),
    },
  };
  for (const i of range(count)) {
    // every tenth has an own, older version of the next one
    if (i % 10 === 0) packages[`node_modules/p${i}/node_modules/p${i + 1}`] = { version: "0.9.0" };
    packages[`node_modules/p${i}`] = {
      version: "1.0.0",
      dependencies: [i + 1, i * 2, (i * 31) % count, i - 10].reduce(dependency, {}),
      optionalDependencies: { [`not-for-this-platform-${i}`]: "^1.0.0" },
    };
  }
  return JSON.stringify({ name: "generated", lockfileVersion: 3, packages }, null, 1);
}

function dependency(all: Record<string, string>, i: number): Record<string, string> {
  return { ...all, [`p${i}`]: "^1.0.0" };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
