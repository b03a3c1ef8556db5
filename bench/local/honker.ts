// Honker's own Node binding.
import { join } from "node:path";
import { now } from "../harness/clock.ts";
import type { Context } from "../harness/context.ts";
import { SQLITE_FULL, SQLITE_NORMAL } from "../harness/durability.ts";
import {
  call,
  type NativeDatabase,
  type NativeTransaction,
  open,
  scalar,
  Updates,
} from "../harness/honker-binding.ts";
import type { Payload } from "../harness/payload.ts";
import type {
  Handler,
  Log,
  OpenMany,
  OutboxPeer,
  Peer,
  PubSubPeer,
  QueuePeer,
  StreamPeer,
} from "../harness/peer.ts";

const VISIBILITY_SECONDS = 300;
const ENQUEUE = "SELECT honker_enqueue(?, ?, NULL, NULL, 0, 3, NULL)";
const CLAIM = "SELECT honker_claim_batch(?, ?, ?, ?)";
const ACK = "SELECT honker_ack(?, ?)";
const ACK_MANY = "SELECT honker_ack_batch(?, ?)";
const NEXT_CLAIM = "SELECT honker_queue_next_claim_at(?)";
const PUBLISH = "SELECT honker_stream_publish(?, NULL, ?)";
const READ = "SELECT honker_stream_read_since(?, ?, ?)";
const SAVE = "SELECT honker_stream_save_offset(?, ?, ?)";

function fileOf({ folder }: Context): string {
  return join(folder, "honker.db");
}

interface Claimed {
  readonly id: number;
  readonly payload: string;
}

function queue({ batch = false, full = false }): QueuePeer {
  const claim = (db: NativeDatabase, name: string, worker: string, count: number): Claimed[] =>
    JSON.parse(String(call(db, CLAIM, [name, worker, count, VISIBILITY_SECONDS]))) as Claimed[];
  return {
    prepare: (context) => open(fileOf(context)).close(),
    producer(context) {
      const db = open(fileOf(context), full);
      return {
        sync: true,
        add: (job) => call(db, ENQUEUE, [context.name, JSON.stringify(job)]),
        addMany(jobs) {
          const tx = db.transaction();
          for (const job of jobs) tx.query(ENQUEUE, [context.name, JSON.stringify(job)]);
          tx.commit();
        },
        close: () => db.close(),
      };
    },
    worker(context, { concurrency, handler }) {
      const { name } = context;
      const db = open(fileOf(context), full);
      const events: Updates[] = [];
      let on = true;
      const idle = async (updates: Updates): Promise<void> => {
        const next = Number(call(db, NEXT_CLAIM, [name]));
        await updates.wait(next > 0 ? Math.min(5_000, next * 1_000 - Date.now()) : 5_000);
      };
      const loop = async (worker: string, count: number): Promise<void> => {
        const updates = new Updates(db);
        events.push(updates);
        while (on) {
          const jobs = claim(db, name, worker, count);
          if (jobs.length === 0) {
            await idle(updates);
            continue;
          }
          await Promise.all(jobs.map(({ payload }) => handler(JSON.parse(payload) as Payload)));
          const ids = jobs.map(({ id }) => id);
          if (count === 1) call(db, ACK, [ids[0], worker]);
          else call(db, ACK_MANY, [JSON.stringify(ids), worker]);
        }
      };
      if (batch) void loop("worker", concurrency);
      else for (let i = 0; i < concurrency; i++) void loop(`worker${i}`, 1);
      return {
        close() {
          on = false;
          for (const updates of events) updates.close();
          db.close();
        },
      };
    },
    claimer(context) {
      const db = open(fileOf(context), full);
      return {
        sync: true,
        claimAndAck() {
          const [job] = claim(db, context.name, "worker", 1);
          if (job === undefined) return false;
          JSON.parse(job.payload);
          call(db, ACK, [job.id, "worker"]);
          return true;
        },
        close: () => db.close(),
      };
    },
  };
}

const pubsub: PubSubPeer = {
  prepare: (context) => open(fileOf(context)).close(),
  connect(context) {
    const db = open(fileOf(context));
    const updates = new Updates(db);
    let on = true;
    const deliver = async (handler: Handler): Promise<void> => {
      let last = Number(scalar(db.query("SELECT coalesce(max(id), 0) FROM _honker_notifications")));
      while (on) {
        const rows = db.query(
          "SELECT id, payload FROM _honker_notifications WHERE channel = ? AND id > ? ORDER BY id",
          [context.name, last],
        );
        for (const { id, payload } of rows) {
          last = Number(id);
          await handler(JSON.parse(String(payload)) as Payload);
        }
        if (rows.length === 0) await updates.wait(15_000);
      }
    };
    return {
      publish(message) {
        const tx = db.transaction();
        tx.notify(context.name, message);
        tx.commit();
      },
      subscribe(handler) {
        void deliver(handler);
      },
      close() {
        on = false;
        updates.close();
        db.close();
      },
    };
  },
};

function stream({ full = false }): StreamPeer {
  const connect = (context: Context): Log & { db: NativeDatabase } => {
    const { name } = context;
    const db = open(fileOf(context), full);
    let offset = 0;
    return {
      db,
      sync: true,
      append: (message) => call(db, PUBLISH, [name, JSON.stringify(message)]),
      appendMany(messages) {
        const tx = db.transaction();
        for (const message of messages) tx.query(PUBLISH, [name, JSON.stringify(message)]);
        tx.commit();
      },
      read(limit) {
        const rows = JSON.parse(String(call(db, READ, [name, offset, limit]))) as {
          offset: number;
          payload: string;
        }[];
        const last = rows.at(-1);
        if (last === undefined) return [];
        offset = last.offset;
        call(db, SAVE, ["consumer", name, offset]);
        return rows.map(({ payload }) => JSON.parse(payload) as Payload);
      },
      close: () => db.close(),
    };
  };
  return {
    prepare: (context) => open(fileOf(context)).close(),
    connect,
    follow(context, handler) {
      const log = connect(context);
      const updates = new Updates(log.db);
      let on = true;
      void (async () => {
        while (on) {
          const found = await log.read(256);
          for (const message of found) handler(message);
          if (found.length === 0) await updates.wait(1_000);
        }
      })();
      return {
        close() {
          on = false;
          updates.close();
          return log.close();
        },
      };
    },
  };
}

const ORDERS =
  "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL, quantity INTEGER NOT NULL)";
const ORDER = "INSERT INTO orders (id, item, quantity) VALUES (?, ?, ?)";
const JOBS = "SELECT payload FROM _honker_live WHERE queue = ?";

const outbox: OutboxPeer = {
  crashPoints: ["between", "before commit"],
  prepare(context) {
    const db = open(fileOf(context));
    const tx = db.transaction();
    tx.execute(ORDERS);
    tx.commit();
    db.close();
  },
  writer(context) {
    const db = open(fileOf(context));
    const row = (tx: NativeTransaction, seq: number): unknown =>
      tx.execute(ORDER, [seq, `item ${seq}`, 1]);
    return {
      sync: true,
      write(message) {
        const tx = db.transaction();
        row(tx, message.seq);
        tx.query(ENQUEUE, [context.name, JSON.stringify(message)]);
        tx.commit();
      },
      crash(seq, point) {
        const tx = db.transaction();
        row(tx, seq);
        if (point !== "between") tx.query(ENQUEUE, [context.name, JSON.stringify({ seq })]);
        process.kill(process.pid, "SIGKILL");
      },
      close: () => db.close(),
    };
  },
  worker: (context, options) => queue({ batch: true }).worker(context, options),
  audit(context) {
    const db = open(fileOf(context));
    try {
      return {
        rows: db.query("SELECT id FROM orders").map(({ id }) => Number(id)),
        jobs: db
          .query(JOBS, [context.name])
          .map(({ payload }) => (JSON.parse(String(payload)) as Payload).seq),
      };
    } finally {
      db.close();
    }
  },
};

function openMany(folder: string, count: number): OpenMany {
  const databases = Array.from({ length: count }, (_, i) => open(join(folder, `${i}.db`)));
  const events = databases.map((db) => db.updateEvents());
  return {
    async woken(index) {
      await events[index]?.next();
      return now();
    },
    close() {
      for (const updates of events) updates.close();
      for (const db of databases) db.close();
    },
  };
}

const SETTINGS = "Honker's Node binding 0.5.1, watcher polling every 1 ms (its default)";

export const peers: readonly Peer[] = [
  {
    id: "honker",
    settings: `${SETTINGS}; concurrency 10 is 10 loops of one job per transaction, as its JS wrapper does; stream: 1 transaction per publish, offset saved every 256`,
    ...SQLITE_NORMAL,
    only: [
      "queue-enqueue",
      "queue-throughput",
      "queue-latency",
      "claim-depth",
      "wake",
      "stream",
      "outbox",
      "idle",
    ],
    queue: queue({}),
    pubsub,
    stream: stream({}),
    outbox,
    openMany,
    commitTo(folder, index) {
      const db = open(join(folder, `${index}.db`));
      const tx = db.transaction();
      tx.notify("bench", { index });
      tx.commit();
      db.close();
    },
  },
  {
    id: "honker-batch",
    settings: `${SETTINGS}; one loop of honker_claim_batch(10) and honker_ack_batch`,
    ...SQLITE_NORMAL,
    only: ["queue-throughput", "queue-latency"],
    queue: queue({ batch: true }),
  },
  {
    id: "honker-full",
    settings: `${SETTINGS}, as honker with synchronous FULL forced on its writer (no option does it)`,
    ...SQLITE_FULL,
    only: ["queue-enqueue", "queue-throughput", "queue-latency", "claim-depth", "stream"],
    queue: queue({ full: true }),
    stream: stream({ full: true }),
  },
];
