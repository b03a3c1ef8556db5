import { msSince, now, sleep } from "./clock.ts";

/** Runs `send` `count` times, one every `gapMs`, later ones earlier again when one took longer. */
export async function paced(
  count: number,
  gapMs: number,
  send: (seq: number) => unknown,
): Promise<void> {
  const start = now();
  for (let seq = 0; seq < count; seq++) {
    const early = seq * gapMs - msSince(start);
    if (early > 0) await sleep(early);
    await send(seq);
  }
}
