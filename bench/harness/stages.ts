import type { Measures, StagedBench } from "./bench.ts";
import { msSince, now } from "./clock.ts";
import { quiet } from "./machine.ts";
import { openSession, type SessionProcess } from "./measure.ts";
import type { Peer } from "./peer.ts";
import { type RoundsOptions, rotated } from "./rounds.ts";
import { type BenchResult, measuresText, Tally } from "./tally.ts";

/**
 * Brings every peer's store to a stage, once, then measures all peers there in alternated rounds, and so
 * on. Each peer keeps one process over all of it, which is idle while others are measured.
 */
export async function runStages(
  bench: StagedBench,
  peers: readonly Peer[],
  options: RoundsOptions,
): Promise<BenchResult> {
  const tally = new Tally();
  const sessions = new Map<string, SessionProcess>();
  /** Runs one step of a peer; a peer that fails is left out from then on. */
  const step = async (
    id: string,
    what: string,
    work: (session: SessionProcess) => Promise<string>,
  ): Promise<void> => {
    const session = sessions.get(id);
    if (session === undefined) return;
    const start = now();
    try {
      const text = await work(session);
      options.progress(`${what} ${id} ${(msSince(start) / 1000).toFixed(1)} s${text}`);
    } catch (error) {
      options.progress(`${what} ${id} FAILED: ${tally.fail(id, error)}`);
      sessions.delete(id);
      await session.end();
    }
  };
  try {
    for (const { id } of peers) {
      const input = { bench: bench.name, peer: id, options: { quick: options.quick, round: 0 } };
      sessions.set(id, openSession(input));
    }
    for (const [stage, name] of bench.stages.entries()) {
      await inLanes(peers, ({ id }) =>
        step(id, `${bench.name} ${name}: prepare`, async (session) => {
          await session.prepare(stage);
          return "";
        }),
      );
      for (let round = 0; round < options.rounds; round++) {
        for (const { id } of rotated(peers, round)) {
          const idle = await quiet(options.quietMs);
          await step(
            id,
            `${bench.name} ${name} ${round + 1}/${options.rounds}`,
            async (session) => {
              const measures: Measures = await session.measure(stage, round);
              tally.add(id, measures, idle);
              return `, idle before ${idle}: ${measuresText(measures)}`;
            },
          );
        }
      }
    }
  } finally {
    for (const session of sessions.values()) await session.end();
  }
  return tally.result(bench.name);
}

/** Stores that are filled at the same time; nothing is measured meanwhile. */
const LANES = 2;

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
