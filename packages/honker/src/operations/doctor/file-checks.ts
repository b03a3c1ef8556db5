import { checkpoint } from "../checkpoint.ts";
import { fileStats, pragma } from "../stats.ts";
import type { Diagnosis, Examination } from "./finding.ts";

/** A log that grows because a reader never ends, or because nobody ever closes the file. */
export function oversizedWal({ core, thresholds }: Examination): Diagnosis[] {
  const { walBytes } = fileStats(core);
  if (walBytes <= thresholds.walBytes) return [];
  return [
    {
      code: "OVERSIZED_WAL",
      severity: "warning",
      message: `the write-ahead log of "${core.path}" has ${walBytes} bytes`,
      advice:
        'Call checkpoint("truncate"); when it does not complete, look for a read transaction or an iterate() that never ends',
      details: { walBytes },
      repair: () => checkpoint(core, "truncate"),
    },
  ];
}

/** Empty pages are used again, but do not leave the file by themselves. */
export function freeSpace({ core, thresholds }: Examination): Diagnosis[] {
  const { freePages, pageSize, pages } = fileStats(core);
  const freeBytes = freePages * pageSize;
  if (freeBytes <= thresholds.freeBytes || freePages * 4 <= pages) return [];
  return [
    {
      code: "FREE_SPACE",
      severity: "info",
      message: `${freeBytes} of the ${pages * pageSize} bytes of "${core.path}" are empty pages`,
      advice:
        'Run execute("VACUUM") in a quiet hour to shrink the file; it blocks writers meanwhile',
      details: { freeBytes, freePages, pages },
    },
  ];
}

/** Settings that somebody changed with a PRAGMA after the file was opened. */
export function unsafeSettings({ core }: Examination): Diagnosis[] {
  const found: Diagnosis[] = [];
  if (pragma(core, "synchronous") === 0) {
    found.push({
      code: "UNSAFE_SETTINGS",
      severity: "error",
      message: `synchronous is OFF on "${core.path}": a power cut can damage the whole file`,
      advice: "Remove the PRAGMA synchronous that somebody ran; open() sets NORMAL or FULL",
      details: { synchronous: "OFF" },
      repair: () => core.connection.exec("PRAGMA synchronous = NORMAL"),
    });
  }
  if (pragma(core, "foreign_keys") === 0) {
    found.push({
      code: "UNSAFE_SETTINGS",
      severity: "warning",
      message: `foreign keys are not enforced on this connection of "${core.path}"`,
      advice: "Remove the PRAGMA foreign_keys = OFF that somebody ran; open() switches them on",
      details: { foreignKeys: false },
      repair: () => core.connection.exec("PRAGMA foreign_keys = ON"),
    });
  }
  const mode = core.prepare("PRAGMA journal_mode").row([])?.[0];
  if (mode !== "wal" && core.path !== ":memory:") {
    found.push({
      code: "UNSAFE_SETTINGS",
      severity: "warning",
      message: `"${core.path}" is in journal mode ${mode}: readers and writers block each other`,
      advice: "Remove the PRAGMA journal_mode that somebody ran; open() sets WAL",
      details: { journalMode: mode },
      repair: () => core.prepare("PRAGMA journal_mode = WAL").row([]),
    });
  }
  return found;
}
