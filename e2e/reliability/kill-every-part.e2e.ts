import { join } from "node:path";
import { type Database, open } from "@alkdev/honker";
import { engineModes, eventually, tempFolder } from "@alkdev/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { Child } from "./child.ts";
import { type Counts, findViolations, OPTIONS, prepare, QUEUE } from "./parts.ts";
import { report, rounds } from "./report.ts";

const ROUNDS = rounds("ALKDEV_KILL_ROUNDS", 8);
const WORKER_SECONDS = rounds("ALKDEV_WORKER_SECONDS", 2);
const PROCESSES = WORKER_SECONDS > 2 ? [2, 4, 8] : [2, 4];
/** As long as a killed worker's claim, and time to work on what is left. */
const DRAIN_TIMEOUT_MS = 60_000;

/** Processes that boot while others are killed. */
const BOOT_AHEAD = 2;

const prepared = (extension: string): { db: Database; path: string } => {
  const path = join(tempFolder(), "test.db");
  const db = open(path, { ...OPTIONS, extension });
  onTestFinished(() => db.close());
  prepare(db);
  return { db, path };
};

/** The highest number a process was told is committed. */
const acked = (child: Child): number =>
  Math.max(
    0,
    ...child.lines.filter((line) => line.startsWith("acked")).map((line) => Number(line.slice(6))),
  );

/** A worker that waited long for the write lock may find its claim gone: it says so, and did nothing. */
const isLostClaim = (line: string): boolean => line.includes("no longer holds job");

const errors = (child: Child): string[] => child.lines.filter((line) => line.startsWith("error"));

/** Works off what is left, so that each number has had its effect and each event was consumed. */
async function drain(db: Database): Promise<Counts> {
  const worker = db.queue<number>("work", QUEUE).work((job, { complete }) => {
    complete((tx) => void tx.execute("INSERT INTO effects (seq) VALUES (?)", [job.payload]));
  });
  const counts = await eventually(
    "every job is done",
    () => {
      const now = findViolations(db).counts;
      return now.effects === now.produced ? now : undefined;
    },
    DRAIN_TIMEOUT_MS,
  );
  await worker.stop();
  return counts;
}

describe.each(engineModes)(
  "M6: processes that are killed while they use every part $mode",
  ({ extension }) => {
    it(`break no promise in ${ROUNDS} rounds`, async () => {
      const { db, path } = prepared(extension);
      const boot = (): Child => new Child("everything.ts", [path, extension, "solo"]);
      const ahead = Array.from({ length: BOOT_AHEAD }, boot);
      let promised = 0;
      for (let round = 1; round <= ROUNDS; round++) {
        const child = ahead.shift() as Child;
        if (round + BOOT_AHEAD <= ROUNDS) ahead.push(boot());
        await child.line("booted");
        child.tell("go");
        // every seventh time while it opens the file
        if (round % 7 !== 0) await child.line("ready");
        await new Promise((resolve) => setTimeout(resolve, 5 + ((round * 37) % 150)));
        await child.kill();
        promised = Math.max(promised, acked(child));
        const { counts, violations } = findViolations(db);
        expect({ round, violations, errors: errors(child) }).toEqual({
          round,
          violations: [],
          errors: [],
        });
        expect(counts.produced).toBeGreaterThanOrEqual(promised);
        // the whole file is read for this: not every time of hundreds
        if (round % 10 === 0 || round === ROUNDS) {
          expect(await db.integrityCheck()).toEqual({
            ok: true,
            problems: [],
            foreignKeyViolations: [],
          });
        }
      }
      const counts = await drain(db);
      expect(counts.effects).toBe(counts.produced);
      expect(counts.consumed).toBeGreaterThan(0);
      report("SIGKILL loop", { mode: extension, rounds: ROUNDS, ...counts });
    }, 3_600_000);
  },
);

it.each([
  ["jobs both done and waiting", "INSERT INTO effects (seq) SELECT max(seq) FROM produced"],
  ["jobs with two effects", "INSERT INTO effects (seq) VALUES (1)"],
  ["lost jobs", "DELETE FROM _honker_live WHERE queue = 'work'"],
  ["dead letters", "INSERT INTO _honker_dead (id, queue, payload) VALUES (9, 'work', '9')"],
  ["work of a rolled back transaction", "UPDATE _honker_notifications SET payload = '-1'"],
  ["offsets that are not 1 to n", "UPDATE _honker_stream SET payload = '7' WHERE offset = 2"],
  ["gaps between offsets", "UPDATE _honker_stream SET offset = 9, payload = 9 WHERE offset = 3"],
  ["missing notifications", "DELETE FROM _honker_notifications WHERE payload = '2'"],
  ["notifications out of order", "UPDATE _honker_notifications SET payload = 4 - payload"],
  ["events consumed twice", "INSERT INTO consumed (offset, seq) VALUES (1, 1)"],
  ["offset 1 saved with 2 effects", "INSERT INTO consumed (offset, seq) VALUES (2, 2)"],
  ["writes under an old lock", "INSERT INTO fenced (token) VALUES (1)"],
  ["slots that fired twice", "INSERT INTO fired (slot) VALUES ('noon')"],
])("the search for broken promises finds %s", (violation, sql) => {
  const { db } = prepared("require");
  db.transaction((tx) => {
    for (const seq of [1, 2, 3]) {
      tx.execute("INSERT INTO produced DEFAULT VALUES");
      db.queue("work").enqueue(seq);
      db.stream("work").publish(seq);
      tx.notify("work", seq);
    }
    db.queue("work").claimOne("w")?.ackTx(tx);
    tx.execute("INSERT INTO effects (seq) VALUES (1)");
    tx.execute("INSERT INTO consumed (offset, seq) VALUES (1, 1)");
    db.stream("work").saveOffset("reader", 1);
    tx.execute("INSERT INTO fenced (token) VALUES (2)");
    tx.execute("INSERT INTO fired (slot) VALUES ('noon')");
  });
  expect(findViolations(db).violations).toEqual([]);
  db.execute(sql);
  expect(findViolations(db).violations.join("\n")).toContain(violation);
});

describe("M6: workers of which one is killed all the time", () => {
  it.each(PROCESSES)(
    "do each of the jobs exactly once, %i processes",
    async (processes) => {
      const { db, path } = prepared("require");
      const start = (slot: number): Child => {
        const child = new Child("everything.ts", [path, "require", `slot-${slot}`]);
        child.tell("go");
        return child;
      };
      const children = Array.from({ length: processes }, (_, slot) => start(slot));
      for (const child of children) await child.line("ready");
      const killEveryMs = WORKER_SECONDS > 10 ? 1_000 : 500;
      const until = performance.now() + WORKER_SECONDS * 1_000;
      const problems: string[] = [];
      let kills = 0;
      while (performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, killEveryMs));
        const slot = kills % processes;
        await (children[slot] as Child).kill();
        problems.push(...errors(children[slot] as Child));
        kills += 1;
        children[slot] = start(slot);
        expect(findViolations(db).violations).toEqual([]);
      }
      for (const child of children) {
        await child.kill();
        problems.push(...errors(child));
      }
      expect(problems.filter((line) => !isLostClaim(line))).toEqual([]);
      const lostClaims = problems.filter(isLostClaim).length;
      const counts = await drain(db);
      expect(counts.effects).toBe(counts.produced);
      expect(findViolations(db).violations).toEqual([]);
      expect(await db.integrityCheck()).toMatchObject({ ok: true });
      report("workers killed", {
        processes,
        seconds: WORKER_SECONDS,
        kills,
        lostClaims,
        ...counts,
      });
    },
    3_600_000,
  );
});
