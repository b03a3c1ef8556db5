/** Writes, works and reads as fast as it can until it is killed. Waits to be told before it opens the file. */
import { once } from "node:events";
import { writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { open } from "@alkdev/honker";
import { CONSUMER, type Ledger, ledgerOf, OPTIONS, write } from "./ledger.ts";

class Dropped extends Error {}

const [path, extension] = process.argv.slice(2) as [string, "require" | "off"];
// a killed process writes no cache
flushCompileCache();
process.send?.("booted");
await once(process, "message");
const ledger = ledgerOf(open(path, { ...OPTIONS, extension }));
for (let round = 0; ; round++) {
  produce(ledger, round);
  work(ledger);
  consume(ledger);
}

/** Each fourth transaction is rolled back, each third keeps a savepoint and loses another one. */
function produce(own: Ledger, round: number): void {
  const kept = round % 4 !== 3;
  attempt(() => {
    const committed = own.db.transaction((tx) => {
      const rowId = write(own, kept);
      if (round % 3 === 0) {
        tx.transaction(() => void write(own, kept));
        attempt(() =>
          tx.transaction((inner) => {
            write(own, false);
            inner.transaction(() => void write(own, false));
            throw new Dropped();
          }),
        );
      }
      if (!kept) throw new Dropped();
      return rowId;
    });
    // at once, past any buffer of this process: who reads it may rely on the commit
    writeSync(1, `${committed}\n`);
  });
}

function work({ db, jobs }: Ledger): void {
  for (const job of jobs.claimBatch(`writer-${process.pid}`, 2)) {
    db.transaction((tx) => {
      attempt(() =>
        tx.transaction((inner) => {
          inner.execute("INSERT INTO effects (row_id) VALUES (?)", [job.payload.rowId]);
          throw new Dropped();
        }),
      );
      if (!job.ackTx(tx)) return;
      tx.execute("INSERT INTO effects (row_id) VALUES (?)", [job.payload.rowId]);
    });
  }
}

function consume({ db, events }: Ledger): void {
  db.transaction((tx) => {
    for (const { offset, payload } of events.readFromConsumer(CONSUMER, 3)) {
      if (!events.saveOffsetTx(tx, CONSUMER, offset)) continue;
      tx.execute("INSERT INTO consumed (offset, row_id) VALUES (?, ?)", [offset, payload.rowId]);
    }
  });
}

function attempt(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof Dropped)) throw error;
  }
}
