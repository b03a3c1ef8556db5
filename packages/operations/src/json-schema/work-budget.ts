/** Thrown where a check takes more steps than it may. */
export class TooMuchWork extends Error {}

let left = 0;

/**
 * Runs a check that may take a number of steps. A step is one schema applied to one value, one key looked at,
 * or four characters matched: some 20 to 500 ns.
 *
 * @throws TooMuchWork
 */
export function withBudget<Result>(steps: number, check: () => Result): Result {
  left = steps;
  return check();
}

/**
 * Takes steps off the budget of the check that runs.
 *
 * @throws TooMuchWork if none are left
 */
export function spend(steps: number): void {
  left -= steps;
  if (left < 0) throw new TooMuchWork();
}
