import { fork } from "node:child_process";
import { once } from "node:events";
import { tempDatabase } from "@alkdev/testkit";
import { drizzle, type LiveResults } from "drizzle-honker";
import { asc, eq, gt, relations, sql } from "drizzle-orm";
import { integer, sqliteTable, sqliteView, text } from "drizzle-orm/sqlite-core";
import { describe, expect, it, onTestFinished } from "vitest";

const tasks = sqliteTable("tasks", { id: integer().primaryKey(), title: text().notNull() });
const notes = sqliteTable("notes", { id: integer().primaryKey(), taskId: integer("task_id") });
const log = sqliteTable("log", { id: integer().primaryKey(), line: text() });
const titles = sqliteView("titles", { title: text() }).existing();
const schema = {
  tasks,
  notes,
  taskRelations: relations(tasks, ({ many }) => ({ notes: many(notes) })),
  noteRelations: relations(notes, ({ one }) => ({
    task: one(tasks, { fields: [notes.taskId], references: [tasks.id] }),
  })),
};

function setup() {
  const client = tempDatabase();
  for (const ddl of [
    "CREATE TABLE tasks (id INTEGER PRIMARY KEY, title TEXT NOT NULL)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, task_id INTEGER REFERENCES tasks(id) ON DELETE CASCADE)",
    "CREATE TABLE log (id INTEGER PRIMARY KEY, line TEXT)",
    "CREATE TRIGGER tasks_log AFTER INSERT ON tasks BEGIN INSERT INTO log (line) VALUES (new.title); END",
    "CREATE VIEW titles AS SELECT title FROM tasks",
  ]) {
    client.execute(ddl);
  }
  return { client, db: drizzle(client, { schema }) };
}

/** The next result, and a check that none is waiting after it. */
async function next<T>(live: LiveResults<T>): Promise<T> {
  const { value, done } = await live.next();
  expect(done).toBe(false);
  return value as T;
}

/** Whether nothing comes although the event loop went round: waiters are woken synchronously. */
async function quiet(live: LiveResults<unknown>): Promise<boolean> {
  let came = false;
  const pending = live.next().then(() => {
    came = true;
  });
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  live.close();
  await pending;
  return came === false || (await live.next()).done === true;
}

describe("M17: a live query", () => {
  it("gives the results of now, and then those after each commit that changed them", async () => {
    const { db } = setup();
    const live = db.live(db.select({ title: tasks.title }).from(tasks).orderBy(asc(tasks.id)));
    expect(await next(live)).toEqual([]);
    db.insert(tasks).values({ title: "a" }).run();
    expect(await next(live)).toEqual([{ title: "a" }]);
    db.transaction((tx) => {
      tx.insert(tasks).values({ title: "b" }).run();
      tx.update(tasks).set({ title: "A" }).where(eq(tasks.id, 1)).run();
    });
    expect(await next(live)).toEqual([{ title: "A" }, { title: "b" }]);
    live.close();
    expect((await live.next()).done).toBe(true);
  });

  it("ends with its signal and with the database", async () => {
    const { db, client } = setup();
    const abort = new AbortController();
    const query = db.select().from(tasks);
    const aborted = db.live(query, { signal: abort.signal });
    const closed = db.live(query);
    await next(aborted);
    await next(closed);
    const [first, second] = [aborted.next(), closed.next()];
    abort.abort();
    expect((await first).done).toBe(true);
    client.close();
    expect((await second).done).toBe(true);
    expect(() => db.live(query)).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });

  it("is refused for a query that writes", () => {
    const { db } = setup();
    expect(() => db.live(db.insert(tasks).values({ title: "a" }).returning())).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
    expect(db.$count(tasks).sync()).toBe(0);
  });

  it("stays quiet for a rollback, for another table, and for a change that is none", async () => {
    const { db } = setup();
    db.insert(tasks).values({ title: "a" }).run();
    const live = db.live(db.select().from(tasks));
    await next(live);
    expect(() =>
      db.transaction((tx) => {
        tx.insert(tasks).values({ title: "dropped" }).run();
        tx.rollback();
      }),
    ).toThrow();
    db.insert(notes).values({ taskId: 1 }).run();
    db.update(tasks).set({ title: "a" }).run();
    expect(await quiet(live)).toBe(true);
  });

  it.each([
    [
      "raw SQL through Drizzle",
      ({ db }: ReturnType<typeof setup>) => void db.run(sql`insert into notes values (9, 1)`),
    ],
    [
      "raw SQL through the engine",
      ({ client }: ReturnType<typeof setup>) =>
        void client.execute("INSERT INTO notes VALUES (9, 1)"),
    ],
    [
      "a prepared statement",
      ({ client }: ReturnType<typeof setup>) =>
        void client.prepare("INSERT INTO notes VALUES (?, 1)").run([9]),
    ],
    [
      "a cascade",
      ({ db }: ReturnType<typeof setup>) => void db.delete(tasks).where(eq(tasks.id, 2)).run(),
    ],
  ])("notices writes by %s", async (_name, write) => {
    const made = setup();
    made.db
      .insert(tasks)
      .values([
        { id: 1, title: "a" },
        { id: 2, title: "b" },
      ])
      .run();
    made.db.insert(notes).values({ id: 1, taskId: 2 }).run();
    const live = made.db.live(made.db.select({ id: notes.id }).from(notes));
    expect(await next(live)).toEqual([{ id: 1 }]);
    write(made);
    expect(await next(live)).not.toEqual([{ id: 1 }]);
    live.close();
  });

  it("notices what a trigger wrote, and what a view shows", async () => {
    const { db } = setup();
    const logged = db.live(db.select({ line: log.line }).from(log));
    const viewed = db.live(db.select().from(titles));
    await Promise.all([next(logged), next(viewed)]);
    db.insert(tasks).values({ title: "a" }).run();
    expect(await next(logged)).toEqual([{ line: "a" }]);
    expect(await next(viewed)).toEqual([{ title: "a" }]);
    logged.close();
    viewed.close();
  });

  it("works on joins, subqueries, relations, findFirst, prepared queries and counts", async () => {
    const { db } = setup();
    const recent = db.select({ id: tasks.id }).from(tasks).where(gt(tasks.id, 0)).as("recent");
    const prepared = db
      .select({ id: tasks.id })
      .from(tasks)
      .where(eq(tasks.id, sql.placeholder("id")))
      .prepare();
    const all = [
      db.live(db.select().from(tasks).leftJoin(notes, eq(notes.taskId, tasks.id))),
      db.live(db.select({ id: recent.id }).from(recent)),
      db.live(db.query.tasks.findMany({ with: { notes: true } })),
      db.live(db.query.tasks.findFirst()),
      db.live(prepared, { placeholderValues: { id: 1 } }),
      db.live(db.select({ n: sql<number>`count(*)` }).from(tasks)),
    ] as LiveResults<unknown>[];
    const before = await Promise.all(all.map(next));
    expect(before).toEqual([[], [], [], undefined, [], [{ n: 0 }]]);
    db.insert(tasks).values({ id: 1, title: "a" }).run();
    expect(await Promise.all(all.map(next))).toEqual([
      [{ tasks: { id: 1, title: "a" }, notes: null }],
      [{ id: 1 }],
      [{ id: 1, title: "a", notes: [] }],
      { id: 1, title: "a" },
      [{ id: 1 }],
      [{ n: 1 }],
    ]);
    for (const live of all) live.close();
  });

  it("gives a slow reader the newest results only", async () => {
    const { db } = setup();
    const live = db.live(db.select({ n: sql<number>`count(*)` }).from(tasks));
    await next(live);
    for (const title of ["a", "b", "c"]) db.insert(tasks).values({ title }).run();
    expect(await next(live)).toEqual([{ n: 3 }]);
    expect(await quiet(live)).toBe(true);
  });

  it("does not show what an open transaction wrote", async () => {
    const { db, client } = setup();
    const live = db.live(db.select({ title: tasks.title }).from(tasks));
    await next(live);
    const pending = next(live);
    const tx = client.transaction();
    db.insert(tasks).values({ title: "not yet" }).run();
    await new Promise((resolve) => setImmediate(resolve));
    tx.rollback();
    db.insert(tasks).values({ title: "now" }).run();
    expect(await pending).toEqual([{ title: "now" }]);
    live.close();
  });

  it("goes on after a migration added a column", async () => {
    const { db } = setup();
    const live = db.live(db.select({ title: tasks.title }).from(tasks));
    await next(live);
    db.run(sql`alter table tasks add column extra text`);
    db.run(sql`vacuum`);
    db.insert(tasks).values({ title: "a" }).run();
    expect(await next(live)).toEqual([{ title: "a" }]);
    live.close();
  });

  it("notices commits of another process, and stays quiet for those that changed nothing of it", async () => {
    const { db, client } = setup();
    const live = db.live(db.select({ title: tasks.title }).from(tasks));
    await next(live);
    const child = fork(new URL("./children/run-sql.ts", import.meta.url), [client.path], {
      execArgv: ["--conditions=@alkdev/source"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const run = async (statement: string) => {
      child.send(statement);
      await once(child, "message");
    };
    await once(child, "message");
    await run("INSERT INTO notes (task_id) VALUES (NULL)");
    await run("INSERT INTO tasks (title) VALUES ('from there')");
    expect(await next(live)).toEqual([{ title: "from there" }]);
    live.close();
    child.disconnect();
    await once(child, "exit");
  });
});
