import { parseArgs } from "node:util";

/** What `npm run bench -- …` was asked for. */
export interface BenchOptions {
  /** Names of benches; absent: all. */
  readonly only: readonly string[] | undefined;
  /** Peers and their variants; absent: all. */
  readonly peers: readonly string[] | undefined;
  readonly rounds: number;
  readonly quick: boolean;
  readonly quietMs: number;
  /** Results files to render into the README instead of measuring. */
  readonly report: readonly string[] | undefined;
  readonly list: boolean;
}

export const USAGE = `npm run bench -- [options]

  --only a,b      benches to run (default: all)
  --peers a,b     peers and their variants, "alkdev" also means "alkdev-full" (default: all); such a
                  run is printed but not kept
  --rounds n      alternated rounds (default: 5; 1 with --quick)
  --quick         a smoke run: small sizes, no results file
  --quiet-ms n    longest wait for a quiet machine before each measurement (default: 3000)
  --report a,b    render these results files into bench/README.md; later ones win per bench
  --list          benches and peers
`;

/** @throws on an option it does not know */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      peers: { type: "string" },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      "quiet-ms": { type: "string" },
      report: { type: "string" },
      list: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error(`--rounds must be a whole number from 1, got "${values.rounds}"`);
  }
  return {
    only: list(values.only),
    peers: list(values.peers),
    rounds,
    quick: values.quick,
    quietMs: Number(values["quiet-ms"] ?? (values.quick ? 0 : 3_000)),
    report: list(values.report),
    list: values.list,
  };
}

function list(value: string | undefined): string[] | undefined {
  return value?.split(",").filter((part) => part !== "");
}
