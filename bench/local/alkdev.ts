// The system under test.
import { join } from "node:path";
import { type Database, type Durability, open } from "@alkdev/honker";
import { now } from "../harness/clock.ts";
import type { Context } from "../harness/context.ts";
import { PRAGMAS_TEXT } from "../harness/driver-schema.ts";
import { SQLITE_FULL, SQLITE_NORMAL } from "../harness/durability.ts";
import type { Payload } from "../harness/payload.ts";
import type {
  OpenMany,
  OutboxPeer,
  Peer,
  PubSubPeer,
  QueuePeer,
  StreamPeer,
} from "../harness/peer.ts";

const CONSUMER = "bench";
const SAVE_EVERY = 256;

function file({ folder }: Context): string {
  return join(folder, "alkdev.db");
}

function queue(durability: Durability): QueuePeer {
  const opened = (context: Context): { db: Database; queue: ReturnType<typeof queueOf> } => {
    const db = open(file(context), { durability });
    return { db, queue: queueOf(db, context) };
  };
  const queueOf = (db: Database, { name }: Context) => db.queue<Payload>(name);
  return {
    prepare: (context) => open(file(context)).close(),
    producer(context) {
      const { db, queue: jobs } = opened(context);
      return {
        sync: true,
        add: (job) => jobs.enqueue(job),
        addMany: (many) => jobs.enqueueMany(many),
        close: () => db.close(),
      };
    },
    worker(context, { concurrency, handler }) {
      const { db, queue: jobs } = opened(context);
      jobs.work(({ payload }) => handler(payload), { concurrency });
      return db;
    },
    claimer(context) {
      const { db, queue: jobs } = opened(context);
      return {
        sync: true,
        claimAndAck() {
          const job = jobs.claimOne("worker");
          return job?.ack() ?? false;
        },
        close: () => db.close(),
      };
    },
  };
}

function pubsub(durability: Durability): PubSubPeer {
  return {
    prepare: (context) => open(file(context)).close(),
    connect(context) {
      const db = open(file(context), { durability });
      return {
        publish(message) {
          db.notify(context.name, message);
        },
        subscribe(handler) {
          const heard = db.listen<Payload>(context.name);
          void (async () => {
            for await (const { payload } of heard) handler(payload);
          })();
        },
        close: () => db.close(),
      };
    },
  };
}

function stream(durability: Durability): StreamPeer {
  return {
    prepare: (context) => open(file(context)).close(),
    connect(context) {
      const db = open(file(context), { durability });
      const log = db.stream<Payload>(context.name);
      return {
        sync: true,
        append: (message) => log.publish(message),
        appendMany: (messages) => log.publishMany(messages),
        read(limit) {
          const events = log.readFromConsumer(CONSUMER, limit);
          const last = events.at(-1);
          if (last !== undefined) log.saveOffset(CONSUMER, last.offset);
          return events.map(({ payload }) => payload);
        },
        close: () => db.close(),
      };
    },
    follow(context, handler) {
      const db = open(file(context), { durability });
      const events = db.stream<Payload>(context.name).subscribe(CONSUMER, {
        saveEveryN: SAVE_EVERY,
        saveEverySeconds: 0,
      });
      void (async () => {
        for await (const { payload } of events) handler(payload);
      })();
      return db;
    },
  };
}

const ORDERS =
  "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL, quantity INTEGER NOT NULL)";
const ORDER = "INSERT INTO orders (id, item, quantity) VALUES (?, ?, ?)";
const JOBS = "SELECT payload FROM _honker_live WHERE queue = ?";

function outbox(durability: Durability): OutboxPeer {
  return {
    crashPoints: ["between", "before commit"],
    prepare(context) {
      using db = open(file(context));
      db.execute(ORDERS);
    },
    writer(context) {
      const db = open(file(context), { durability });
      const jobs = db.queue<Pick<Payload, "seq">>(context.name);
      const row = (seq: number): unknown => db.execute(ORDER, [seq, `item ${seq}`, 1]);
      return {
        sync: true,
        write(message) {
          db.transaction(() => {
            row(message.seq);
            jobs.enqueue(message);
          });
        },
        crash(seq, point) {
          db.transaction(() => {
            row(seq);
            if (point !== "between") jobs.enqueue({ seq });
            process.kill(process.pid, "SIGKILL");
          });
        },
        close: () => db.close(),
      };
    },
    worker: (context, options) => queue(durability).worker(context, options),
    audit(context) {
      using db = open(file(context));
      return {
        rows: db.rows("SELECT id FROM orders").map(([id]) => Number(id)),
        jobs: db
          .rows(JOBS, [context.name])
          .map(([payload]) => (JSON.parse(String(payload)) as Payload).seq),
      };
    },
  };
}

function openMany(folder: string, count: number): OpenMany {
  const databases = Array.from({ length: count }, (_, i) => open(join(folder, `${i}.db`)));
  const listeners = databases.map((db) => db.listen("bench")[Symbol.asyncIterator]());
  // so that every listener waits
  const waiting = listeners.map((listener) => listener.next());
  return {
    async woken(index) {
      await waiting[index];
      const at = now();
      const listener = listeners[index];
      if (listener !== undefined) waiting[index] = listener.next();
      return at;
    },
    close() {
      for (const db of databases) db.close();
    },
  };
}

const SETTINGS = `defaults: ${PRAGMAS_TEXT}`;

export const peers: readonly Peer[] = [
  {
    id: "alkdev",
    settings: SETTINGS,
    ours: true,
    ...SQLITE_NORMAL,
    queue: queue("normal"),
    pubsub: pubsub("normal"),
    stream: stream("normal"),
    outbox: outbox("normal"),
    openMany,
    commitTo(folder, index) {
      using db = open(join(folder, `${index}.db`));
      db.notify("bench", { index });
    },
  },
  {
    id: "alkdev-full",
    settings: 'defaults and durability: "full"',
    ours: true,
    ...SQLITE_FULL,
    queue: queue("full"),
    pubsub: pubsub("full"),
    stream: stream("full"),
    outbox: outbox("full"),
  },
];
