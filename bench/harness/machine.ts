import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { msSince, now, sleep } from "./clock.ts";
import { freshFolder } from "./context.ts";
import { median, significant } from "./statistics.ts";

export interface Machine {
  readonly node: string;
  readonly system: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** What a flush of 4 KiB costs here; virtual disks are often too cheap to be true. */
  readonly flushMs: number;
}

export function machine(): Machine {
  return {
    node: process.version,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    cpu: os.cpus()[0]?.model ?? "unknown",
    cores: os.cpus().length,
    memoryGiB: significant(os.totalmem() / 2 ** 30, 3),
    flushMs: significant(flushMs(), 3),
  };
}

/**
 * Waits until the machine is 85 % idle over 150 ms, for at most `maxMs`.
 *
 * @returns the idle share last seen, so that a value measured under load can be told; NaN where the
 * system does not say
 */
export async function quiet(maxMs: number): Promise<number> {
  const start = now();
  for (;;) {
    const before = cpuTimes();
    await sleep(150);
    const after = cpuTimes();
    const share = (after.idle - before.idle) / Math.max(1, after.total - before.total);
    if (share >= 0.85 || msSince(start) >= maxMs) return significant(share, 2);
  }
}

function cpuTimes(): { idle: number; total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of os.cpus()) {
    idle += times.idle;
    total += times.idle + times.user + times.sys + times.nice + times.irq;
  }
  return { idle, total };
}

function flushMs(): number {
  const file = openSync(join(freshFolder("flush"), "file"), "w");
  const block = Buffer.alloc(4096, 1);
  const samples: number[] = [];
  for (let i = 0; i < 100; i++) {
    const start = now();
    writeSync(file, block, 0, block.length, i * block.length);
    fdatasyncSync(file);
    samples.push(msSince(start));
  }
  closeSync(file);
  return median(samples);
}

/** Threads of this process (Linux). */
export function threadCount(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN);
}

export function residentMiB(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

/** Share of one core, in percent, that this process (all its threads) uses over `ms`. */
export async function cpuPercent(ms: number): Promise<number> {
  const before = process.cpuUsage();
  const start = now();
  await sleep(ms);
  const used = process.cpuUsage(before);
  return ((used.user + used.system) / 1000 / msSince(start)) * 100;
}
