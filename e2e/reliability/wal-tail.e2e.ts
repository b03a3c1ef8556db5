import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import { engineModes, tempFolder } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { Child } from "./child.ts";
import { committedEntries } from "./entries.ts";
import { report, rounds } from "./report.ts";

// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

interface Wal {
  readonly bytes: Buffer;
  readonly frameBytes: number;
  readonly frames: number;
  /** Where the last frame of each commit ends. */
  readonly commitEnds: readonly number[];
}

/** What a killed process left, of which every commit is known. */
async function killedWriter(extension: string, durability: string, commits: number) {
  const folder = tempFolder();
  const path = join(folder, "source.db");
  const child = new Child("ledger-writer.ts", [path, extension, durability, commits]);
  await child.line("done");
  await child.kill();
  expect(child.lines.filter((line) => line.startsWith("acked"))).toHaveLength(commits);
  return { path, wal: parseWal(readFileSync(`${path}-wal`)) };
}

function parseWal(bytes: Buffer): Wal {
  const frameBytes = FRAME_HEADER_BYTES + bytes.readUInt32BE(8);
  const frames = Math.floor((bytes.byteLength - WAL_HEADER_BYTES) / frameBytes);
  const commitEnds: number[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const start = WAL_HEADER_BYTES + frame * frameBytes;
    // the size of the database after the commit, 0 in all frames but its last
    if (bytes.readUInt32BE(start + 4) > 0) commitEnds.push(start + frameBytes);
  }
  return { bytes, frameBytes, frames, commitEnds };
}

/** Opens a copy with another log and returns how many entries it holds. */
async function reopened(source: string, wal: Buffer, extension: string): Promise<number> {
  const path = join(tempFolder(), "copy.db");
  copyFileSync(source, path);
  writeFileSync(`${path}-wal`, wal);
  const db = open(path, { extension });
  try {
    const entries = await committedEntries(db);
    // it goes on from there
    db.stream<number>("entries").publish(entries + 1);
    return entries;
  } finally {
    db.close();
  }
}

const COMMITS = rounds("ALKDEV_WAL_COMMITS", 2);

describe.each(engineModes)("M1: a write-ahead log that lost its tail $mode", ({ extension }) => {
  it.each(["normal", "full"])(
    "holds every acknowledged commit when nothing is cut, durability %s",
    async (durability) => {
      const { path, wal } = await killedWriter(extension, durability, COMMITS);
      expect(wal.commitEnds).toHaveLength(COMMITS);
      expect(await reopened(path, wal.bytes, extension)).toBe(COMMITS);
    },
  );

  it("is a committed prefix wherever it is cut", async () => {
    const { path, wal } = await killedWriter(extension, "normal", COMMITS);
    const cuts = [0, 8, WAL_HEADER_BYTES];
    for (let frame = 0; frame < wal.frames; frame++) {
      const start = WAL_HEADER_BYTES + frame * wal.frameBytes;
      cuts.push(start + 11, start + FRAME_HEADER_BYTES + 2_048, start + wal.frameBytes);
    }
    for (const cut of cuts) {
      const entries = await reopened(path, wal.bytes.subarray(0, cut), extension);
      expect({ cut, entries }).toEqual({
        cut,
        entries: wal.commitEnds.filter((end) => end <= cut).length,
      });
    }
    report("WAL cut", { mode: extension, commits: COMMITS, frames: wal.frames, cuts: cuts.length });
  }, 600_000);

  it("is a committed prefix wherever it is garbled", async () => {
    const { path, wal } = await killedWriter(extension, "normal", COMMITS);
    const damages: number[] = [];
    for (let frame = 0; frame < wal.frames; frame++) {
      const start = WAL_HEADER_BYTES + frame * wal.frameBytes;
      // salt, checksum, page
      damages.push(start + 10, start + 17, start + FRAME_HEADER_BYTES + 2_048);
    }
    for (const at of damages) {
      const bytes = Buffer.from(wal.bytes);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 0x41, at);
      const frameStart = at - ((at - WAL_HEADER_BYTES) % wal.frameBytes);
      const entries = await reopened(path, bytes, extension);
      expect({ at, entries }).toEqual({
        at,
        entries: wal.commitEnds.filter((end) => end <= frameStart).length,
      });
    }
    report("WAL garbled", {
      mode: extension,
      commits: COMMITS,
      frames: wal.frames,
      damages: damages.length,
    });
  }, 600_000);

  it("ends before a stretch of zeros or of an older log", async () => {
    const { path, wal } = await killedWriter(extension, "normal", COMMITS);
    const end = wal.commitEnds[1] as number;
    const zeroed = Buffer.from(wal.bytes);
    zeroed.fill(0, end);
    expect(await reopened(path, zeroed, extension)).toBe(2);
    const repeated = Buffer.concat([wal.bytes, wal.bytes.subarray(WAL_HEADER_BYTES)]);
    expect(await reopened(path, repeated, extension)).toBe(COMMITS);
  });
});
