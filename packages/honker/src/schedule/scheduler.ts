import type { Handle } from "../core/handle.ts";
import { decodePayload } from "../core/json.ts";
import { requireName, requireNumber } from "../core/names.ts";
import { HonkerError } from "../errors.ts";
import { defaultOwner } from "../lock/lock-owner.ts";
import { type FiredSlot, fireDue, slotAfter } from "./fire-due.ts";
import { lead } from "./leader.ts";
import {
  changeSchedule,
  checkSchedule,
  type HonkerScheduleChanges,
  type HonkerScheduleOptions,
  type MissedRuns,
  type ScheduleChanges,
  type ScheduleOptions,
} from "./schedule-options.ts";
import {
  advanceSchedule,
  enableSchedule,
  readSchedule,
  readSchedules,
  removeSchedule,
  type ScheduleScope,
  type StoredSchedule,
  soonestAfter,
  writeSchedule,
} from "./schedule-table.ts";

/** A schedule as `get` and `list` show it. */
export interface ScheduleInfo {
  readonly name: string;
  readonly expression: string;
  readonly queue: string;
  readonly payload: unknown;
  readonly priority: number;
  readonly expiresSeconds: number | null;
  readonly maxAttempts: number;
  readonly timeZone: string;
  readonly missed: MissedRuns;
  /** False while it is paused. */
  readonly enabled: boolean;
  readonly nextFireAt: Date;
  /** Whether Honker's own scheduler, if one runs on this file, fires it too. */
  readonly shared: boolean;
}

/** Options of `Scheduler.start`. */
export interface SchedulerStartOptions {
  /** Name of this process among the schedulers of the file. Default: host, process id and more. */
  readonly owner?: string;
}

/**
 * Schedules of a database: at each slot, a job in a queue. They are rows of the file; something must
 * `run()` them, in one process or in several, of which one leads. Made by `db.scheduler()`.
 */
export class Scheduler {
  readonly #handle: Handle;
  /** Broken schedules that were reported, so that each is reported once. */
  readonly #reported = new Set<string>();
  #running: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  /** @internal Use `db.scheduler()`. */
  constructor(handle: Handle) {
    this.#handle = handle;
  }

  /**
   * Adds a schedule, or replaces the one of that name. With expression and zone unchanged its next run
   * stays, so this can be called at every start. Inside a transaction it is added when that commits.
   *
   * @param expression five cron fields, six with seconds in front, `@daily` and the like, or
   * `@every 30s`; see {@link nextFireTime}
   * @throws `INVALID_ARGUMENT`, naming the wrong field; `INVALID_PAYLOAD`
   * @example
   * ```ts
   * scheduler.add("retention-cleanup", "0 3 * * *", {
   *   queue: "maintenance",
   *   payload: { task: "cleanup-expired-graphs", olderThanDays: 90 },
   *   timeZone: "Europe/Berlin",
   * });
   * ```
   */
  add(name: string, expression: string, options: ScheduleOptions): ScheduleInfo;
  /** The same, as Honker's Node binding spells it. */
  add(options: HonkerScheduleOptions): ScheduleInfo;
  add(
    nameOrOptions: string | HonkerScheduleOptions,
    expression?: string,
    options?: ScheduleOptions,
  ): ScheduleInfo {
    if (typeof nameOrOptions === "object") {
      const { name, schedule, cron, expiresS, ...rest } = nameOrOptions;
      const written = schedule ?? cron ?? "";
      return this.add(
        name,
        written,
        expiresS === undefined ? rest : { ...rest, expiresSeconds: expiresS },
      );
    }
    const name = nameOrOptions;
    const given = options ?? { queue: "" };
    const settings = checkSchedule(name, expression as string, given);
    const core = this.#handle.use();
    return core.transaction(() => {
      const before = readSchedule(core, name);
      const enabled = given.enabled ?? before?.enabled ?? true;
      const nextAt = isSameRule(before, settings) ? before?.nextAt : undefined;
      writeSchedule(core, settings, { name, enabled, nextAt });
      return this.#require(name);
    });
  }

  /**
   * Changes a schedule; what is left out stays. A new expression or zone counts from now. One that was
   * added through Honker becomes one of this library. False when there is none of that name.
   */
  update(name: string, changes: ScheduleChanges | HonkerScheduleChanges): boolean {
    const { schedule, cron, expiresS, ...rest } = changes as HonkerScheduleChanges;
    const expression = rest.expression ?? schedule ?? cron;
    const core = this.#handle.use();
    return core.transaction(() => {
      const before = readSchedule(core, name);
      if (before === undefined) return false;
      const settings = changeSchedule(name, before, {
        ...rest,
        ...(expression === undefined || expression === null ? {} : { expression }),
        ...(expiresS === undefined ? {} : { expiresSeconds: expiresS }),
      });
      const enabled = changes.enabled ?? before.enabled;
      const nextAt = isSameRule(before, settings) ? before.nextAt : undefined;
      writeSchedule(core, settings, { name, enabled, nextAt });
      return true;
    });
  }

  /** Removes a schedule; jobs it made stay. False when there is none of that name. */
  remove(name: string): boolean {
    return removeSchedule(this.#handle.use(), name);
  }

  /** Stops a schedule until `resume()`. False when it does not run. */
  pause(name: string): boolean {
    return enableSchedule(this.#handle.use(), name, false);
  }

  /** Lets a paused schedule go on with its next slot; slots of the pause are not made up. */
  resume(name: string): boolean {
    const core = this.#handle.use();
    return core.transaction(() => {
      const before = readSchedule(core, name);
      if (before === undefined || before.enabled) return false;
      const now = core.nowSeconds();
      if (before.nextAt <= now) advanceSchedule(core, name, slotAfter(before, now));
      enableSchedule(core, name, true);
      return true;
    });
  }

  /** One schedule; `null` when there is none of that name. */
  get(name: string): ScheduleInfo | null {
    const stored = readSchedule(this.#handle.use(), name);
    return stored === undefined ? null : scheduleInfo(stored);
  }

  /** All schedules by name, also those added through Honker. */
  list(): ScheduleInfo[] {
    return readSchedules(this.#handle.use()).map(scheduleInfo);
  }

  /** When the next enabled schedule is due, in seconds since 1970; `null` when there is none. */
  soonest(): number | null {
    return soonestAfter(this.#handle.use(), Number.MIN_SAFE_INTEGER, "all") ?? null;
  }

  /**
   * Fires what is due, once: for a runner of your own, or a test. A slot is fired by one caller only,
   * whoever else ticks at the same time.
   *
   * @param nowSeconds seconds since 1970, default now
   */
  tick(nowSeconds?: number): FiredSlot[] {
    return this.#fire("all", nowSeconds);
  }

  /**
   * Fires schedules at their time until `signal` is aborted or the database is closed. Any number of
   * processes may run this: one leads through the lock `honker-scheduler`, as Honker's own schedulers
   * do, and another takes over within 60 seconds when it is killed. Resolves when it has ended.
   *
   * @param owner name of this process among them; one that restarts under its name leads again at once
   */
  async run(owner: string, signal?: AbortSignal): Promise<void> {
    requireName(owner, "owner of a scheduler");
    await lead(this.#handle, {
      owner,
      signal,
      fire: (scope) => void this.#fire(scope),
    });
  }

  /** Runs in the background until `stop()`. Does nothing when it already does. */
  start(options: SchedulerStartOptions = {}): void {
    if (this.#running !== undefined) return;
    const core = this.#handle.use();
    const { owner = defaultOwner() } = options;
    requireName(owner, "owner of a scheduler");
    const stop = new AbortController();
    const ended = this.run(owner, stop.signal).catch((error: unknown) => {
      core.onError(error, "the scheduler ended");
    });
    this.#running = { stop, ended };
  }

  /** Ends `start()` and gives up the lead. Resolves when it has ended; idempotent. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.stop.abort();
    await running.ended;
    if (this.#running === running) this.#running = undefined;
  }

  #fire(scope: ScheduleScope, nowSeconds?: number): FiredSlot[] {
    const core = this.#handle.use();
    const now = nowSeconds ?? core.nowSeconds();
    requireNumber(now, "time of a tick", { min: 0, integer: true });
    return fireDue(core, {
      now,
      scope,
      onBroken: ({ name, expression, timeZone }, error) => {
        const broken = JSON.stringify([name, expression, timeZone]);
        if (this.#reported.has(broken)) return;
        this.#reported.add(broken);
        core.onError(error, `schedule "${name}" cannot fire`);
      },
    });
  }

  #require(name: string): ScheduleInfo {
    const info = this.get(name);
    if (info !== null) return info;
    throw new HonkerError("SQL_ERROR", `schedule "${name}" is not there after it was written`);
  }
}

function isSameRule(
  before: StoredSchedule | undefined,
  after: { readonly expression: string; readonly timeZone: string },
): boolean {
  return (
    before !== undefined &&
    !before.foreign &&
    before.expression === after.expression &&
    before.timeZone === after.timeZone
  );
}

function scheduleInfo(stored: StoredSchedule): ScheduleInfo {
  const { foreign: _, nextAt, payload, ...shown } = stored;
  return { ...shown, payload: decodePayload(payload), nextFireAt: new Date(nextAt * 1_000) };
}
