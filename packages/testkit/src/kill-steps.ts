/**
 * The steps, from 1, at which a test kills a process that has so many: the first, the last and every second
 * one between. With `ALKDEV_EVERY_KILL=1`, as in `npm run test:long`, all of them.
 */
export function killSteps(steps: number): readonly number[] {
  const all = Array.from({ length: steps }, (_, at) => at + 1);
  if (process.env["ALKDEV_EVERY_KILL"] === "1") return all;
  return all.filter((step) => step % 2 === 1 || step === steps);
}
