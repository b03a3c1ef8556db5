import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { open } from "@alkdev/honker";
import { eventually, tempFolder } from "@alkdev/testkit";
import { expect, test } from "vitest";
import { generatedLock } from "./main-job/generated-lock.ts";
import { isAlive, Job } from "./main-job/job.ts";

const KILLS = Number(process.env["ALKDEV_MAIN_JOB_KILLS"] ?? 20);
const PACKAGES = 1_500;
/** With the project, and an older version of every tenth. */
const NODES = PACKAGES + 1 + PACKAGES / 10;
const MOST_MS = 400;

test(`the main job, ${KILLS} times one of its processes killed, loses and repeats nothing`, {
  timeout: 120_000 + KILLS * 20_000,
}, async () => {
  const folder = tempFolder();
  const path = join(folder, "package-lock.json");
  const args = [path, "--data", join(folder, "data")];
  writeFileSync(path, generatedLock(PACKAGES));
  let graphs = 1;
  let job = new Job(args);
  for (let kills = 0; kills < KILLS; ) {
    await job.told("projector started");
    await sleep(Math.random() * MOST_MS);
    if (!job.running && (await gaveUp(job))) {
      job = new Job(args);
      continue;
    }
    if (!job.running) {
      // it was quicker than we were: another content is another import
      expect(await job.report(), job.log).toMatchObject({ nodes: NODES, ok: true });
      appendFileSync(path, "\n");
      graphs += 1;
      job = new Job(args);
      continue;
    }
    const victims = [job.pid, ...job.children];
    const victim = victims[Math.floor(Math.random() * victims.length)] as number;
    if (!kill(victim)) continue;
    kills += 1;
    if (victim !== job.pid) continue;
    await job.ended;
    // usually they are gone before the next run starts, but they need not be
    if (kills % 2 === 0) {
      await eventually("the others have noticed", () => !job.children.some(isAlive), 20_000);
    }
    job = new Job(args);
  }
  if (await gaveUp(job)) job = new Job(args);
  expect(await job.report(), job.log).toMatchObject({
    nodes: NODES,
    done: NODES,
    dead: 0,
    ok: true,
  });

  using db = open(join(folder, "data", "tenant-demo.db"));
  expect(db.rows("SELECT status, count(*) FROM graphs GROUP BY status ORDER BY status")).toEqual(
    graphs === 1
      ? [["active", 1]]
      : [
          ["active", 1],
          ["archived", graphs - 1],
        ],
  );
  // every package of every graph that was finished, once
  expect(
    db.rows(`SELECT DISTINCT count(*), min(json_extract(attributes, '$.timesCounted')),
        max(json_extract(attributes, '$.timesCounted')) FROM nodes GROUP BY graph_id`),
  ).toEqual([[NODES, 1, 1]]);
  expect(
    db.rows("SELECT count(*) FROM _honker_live UNION ALL SELECT count(*) FROM _honker_dead"),
  ).toEqual([[0], [0]]);
  expect(await db.integrityCheck()).toMatchObject({ ok: true });
});

/** Whether it ended because one of its processes was killed again and again before it got anything done. */
async function gaveUp(job: Job): Promise<boolean> {
  const { code } = await job.ended;
  return code === 1 && / died \d+ times in a row \(SIGKILL\)/.test(job.log);
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}
