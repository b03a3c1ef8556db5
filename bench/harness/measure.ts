// One measurement of one peer, in a process of its own: no driver's machine code is shaped by
// another driver's objects, and what one leaves behind ends with the process.

import type { Measures, RunOptions } from "./bench.ts";
import { benchByName } from "./benches.ts";
import { peerById } from "./peers.ts";
import { type Conversation, runChild, startChild } from "./processes.ts";

interface Input {
  readonly bench: string;
  readonly peer: string;
  readonly options: RunOptions;
}

interface Step {
  readonly do: "prepare" | "measure" | "close";
  readonly stage: number;
  readonly round: number;
}

/** How long one measurement or preparation may take before it counts as failed. */
const LIMIT_MS = 900_000;

export function measureInChild(input: Input): Promise<Measures> {
  return runChild<Measures>({ module: import.meta.url, name: "measure", input }, LIMIT_MS);
}

export async function measure({ bench: name, peer, options }: Input): Promise<Measures> {
  const bench = benchByName(name);
  if (!("run" in bench)) throw new Error(`bench ${name} is measured in stages`);
  return bench.run(await peerById(peer), options);
}

/** A process that holds the store of one peer from stage to stage. */
export interface SessionProcess {
  prepare(stage: number): Promise<void>;
  measure(stage: number, round: number): Promise<Measures>;
  end(): Promise<void>;
}

export function openSession(input: Input): SessionProcess {
  const child = startChild({ module: import.meta.url, name: "session", input });
  const step = (what: Step): Promise<Measures> => {
    child.send("step", what);
    return child.receive<Measures>("done", LIMIT_MS);
  };
  return {
    async prepare(stage) {
      await step({ do: "prepare", stage, round: 0 });
    },
    measure: (stage, round) => step({ do: "measure", stage, round }),
    async end() {
      try {
        child.send("step", { do: "close", stage: 0, round: 0 } satisfies Step);
        await child.receive("done", 20_000);
      } catch {
        // it has failed before; what remains is to end the process
      }
      await child.stop();
    },
  };
}

export async function session(
  { bench: name, peer, options }: Input,
  main: Conversation,
): Promise<void> {
  const bench = benchByName(name);
  if (!("open" in bench)) throw new Error(`bench ${name} is not measured in stages`);
  const opened = await bench.open(await peerById(peer), options);
  for (;;) {
    const step = await main.receive<Step>("step", 2 ** 31 - 1);
    if (step.do === "prepare") await opened.prepare(step.stage);
    if (step.do === "close") await opened.close();
    const measures = step.do === "measure" ? await opened.measure(step.stage, step.round) : {};
    main.send("done", measures);
  }
}
