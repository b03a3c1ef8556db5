// Two tables whose columns share names (id, name, created_at), as most schemas have.
import { type Relations, relations } from "drizzle-orm";
import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const users = sqliteTable("users", {
  id: integer("id").primaryKey(),
  name: text("name").notNull(),
  email: text("email").notNull(),
  age: integer("age"),
  score: real("score"),
  createdAt: integer("created_at", { mode: "timestamp" }).notNull(),
});

export const posts = sqliteTable("posts", {
  id: integer("id").primaryKey(),
  userId: integer("user_id")
    .notNull()
    .references(() => users.id),
  name: text("name").notNull(),
  createdAt: integer("created_at", { mode: "timestamp" }).notNull(),
});

export const sink = sqliteTable("sink", {
  id: integer("id").primaryKey(),
  name: text("name").notNull(),
  email: text("email").notNull(),
  age: integer("age"),
  score: real("score"),
  createdAt: integer("created_at", { mode: "timestamp" }).notNull(),
});

const usersRelations: Relations = relations(users, ({ many }) => ({ posts: many(posts) }));
const postsRelations: Relations = relations(posts, ({ one }) => ({
  user: one(users, { fields: [posts.userId], references: [users.id] }),
}));

export const schema = { users, posts, sink, usersRelations, postsRelations };

/** 5,000 users; the first 50 have 100 posts each. */
export const USERS = 5_000;
export const AUTHORS = 50;
export const POSTS_EACH = 100;

export const DDL = `
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, age INTEGER, score REAL, created_at INTEGER NOT NULL);
CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), name TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX posts_user ON posts (user_id);
CREATE TABLE sink (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, age INTEGER, score REAL, created_at INTEGER NOT NULL);
INSERT INTO users (id, name, email, age, score, created_at)
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${USERS})
  SELECT i, 'user' || i, 'user' || i || '@example.com', i % 90, i * 1.5, 1700000000 FROM n;
INSERT INTO posts (id, user_id, name, created_at)
  WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${AUTHORS * POSTS_EACH - 1})
  SELECT 1000000 + i, i / ${POSTS_EACH} + 1, 'post' || i, 1700000001 FROM n;
`;

/** The same for every SQLite handle of the driver bench, ours included. */
export const PRAGMAS = [
  "journal_mode = WAL",
  "synchronous = NORMAL",
  "foreign_keys = ON",
  "cache_size = -16384",
  "temp_store = MEMORY",
  "wal_autocheckpoint = 4000",
] as const;

export const PRAGMAS_TEXT =
  "WAL, synchronous NORMAL, foreign keys on, cache 16 MiB, autocheckpoint 4000";
