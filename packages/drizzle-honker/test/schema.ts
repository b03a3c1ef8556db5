import { int64 } from "drizzle-honker";
import { relations, sql } from "drizzle-orm";
import {
  type AnySQLiteColumn,
  blob,
  customType,
  index,
  integer,
  numeric,
  primaryKey,
  real,
  sqliteTable,
  sqliteView,
  text,
} from "drizzle-orm/sqlite-core";

/** A custom type that changes values both ways. */
const csv = customType<{ data: string[]; driverData: string }>({
  dataType: () => "text",
  toDriver: (value) => value.join(","),
  fromDriver: (value) => value.split(","),
});

/** A custom type stored as BLOB. */
const reversed = customType<{ data: string; driverData: Buffer }>({
  dataType: () => "blob",
  toDriver: (value) => Buffer.from([...value].reverse().join("")),
  fromDriver: (value) => [...value.toString("utf8")].reverse().join(""),
});

export const users = sqliteTable("users", {
  id: integer().primaryKey({ autoIncrement: true }),
  name: text().notNull(),
  email: text().unique(),
  verified: integer({ mode: "boolean" }).notNull().default(false),
  managerId: integer("manager_id").references((): AnySQLiteColumn => users.id),
});

export const posts = sqliteTable(
  "posts",
  {
    id: integer().primaryKey(),
    name: text(),
    authorId: integer("author_id").references(() => users.id, { onDelete: "cascade" }),
  },
  (table) => [index("posts_author").on(table.authorId)],
);

export const tags = sqliteTable("tags", { id: integer().primaryKey(), name: text().notNull() });

export const postTags = sqliteTable(
  "post_tags",
  {
    postId: integer("post_id")
      .notNull()
      .references(() => posts.id, { onDelete: "cascade" }),
    tagId: integer("tag_id")
      .notNull()
      .references(() => tags.id),
  },
  (table) => [primaryKey({ columns: [table.postId, table.tagId] })],
);

/** Every column mode there is. */
export const modes = sqliteTable("modes", {
  id: integer().primaryKey(),
  number: integer(),
  boolean: integer({ mode: "boolean" }),
  seconds: integer({ mode: "timestamp" }),
  millis: integer({ mode: "timestamp_ms" }),
  string: text(),
  choice: text({ enum: ["a", "b"] }),
  json: text({ mode: "json" }).$type<unknown>(),
  bytes: blob({ mode: "buffer" }),
  blobJson: blob("blob_json", { mode: "json" }).$type<unknown>(),
  blobBig: blob("blob_big", { mode: "bigint" }),
  float: real(),
  decimal: numeric(),
  decimalNumber: numeric("decimal_number", { mode: "number" }),
  decimalBig: numeric("decimal_big", { mode: "bigint" }),
  list: csv(),
  custom: reversed(),
  exact: int64(),
  userId: integer("user_id").references(() => users.id),
});

/** Names that SQL or JavaScript could trip over. */
export const odd = sqliteTable('odd "table"', {
  "1": integer("1"),
  select: text("select"),
  camelCase: text(),
  'quo"te': text('quo"te'),
});

export const defaults = sqliteTable("defaults", {
  id: integer().primaryKey(),
  constant: text().notNull().default("constant"),
  computed: integer().default(sql`(1 + 1)`),
  called: text().$defaultFn(() => "called"),
  updated: text().$onUpdateFn(() => "updated"),
  nullable: text(),
  doubled: integer().generatedAlwaysAs(sql`computed * 2`),
});

export const verifiedUsers = sqliteView("verified_users").as((qb) =>
  qb
    .select({
      id: users.id,
      name: users.name,
      upper: sql<string>`upper(${users.name})`.as("upper"),
    })
    .from(users)
    .where(sql`${users.verified} = 1`),
);

export const userNames = sqliteView("user_names", { id: integer(), name: text() }).existing();

const userRelations = relations(users, ({ one, many }) => ({
  manager: one(users, {
    fields: [users.managerId],
    references: [users.id],
    relationName: "reports",
  }),
  reports: many(users, { relationName: "reports" }),
  posts: many(posts),
  modes: many(modes),
}));
const postRelations = relations(posts, ({ one, many }) => ({
  author: one(users, { fields: [posts.authorId], references: [users.id] }),
  tags: many(postTags),
}));
const postTagRelations = relations(postTags, ({ one }) => ({
  post: one(posts, { fields: [postTags.postId], references: [posts.id] }),
  tag: one(tags, { fields: [postTags.tagId], references: [tags.id] }),
}));
const modesRelations = relations(modes, ({ one }) => ({
  user: one(users, { fields: [modes.userId], references: [users.id] }),
}));

export const schema = {
  users,
  posts,
  tags,
  postTags,
  modes,
  odd,
  defaults,
  userRelations,
  postRelations,
  postTagRelations,
  modesRelations,
};

export const DDL: readonly string[] = [
  `CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT UNIQUE,
    verified INTEGER NOT NULL DEFAULT 0, manager_id INTEGER REFERENCES users(id))`,
  `CREATE TABLE posts (id INTEGER PRIMARY KEY, name TEXT,
    author_id INTEGER REFERENCES users(id) ON DELETE CASCADE)`,
  "CREATE INDEX posts_author ON posts(author_id)",
  "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
  `CREATE TABLE post_tags (post_id INTEGER NOT NULL REFERENCES posts(id) ON DELETE CASCADE,
    tag_id INTEGER NOT NULL REFERENCES tags(id), PRIMARY KEY (post_id, tag_id))`,
  `CREATE TABLE modes (id INTEGER PRIMARY KEY, number INTEGER, boolean INTEGER, seconds INTEGER,
    millis INTEGER, string TEXT, choice TEXT, json TEXT, bytes BLOB, blob_json BLOB, blob_big BLOB,
    float REAL, decimal NUMERIC, decimal_number NUMERIC, decimal_big NUMERIC, list TEXT, custom BLOB,
    exact INTEGER, user_id INTEGER REFERENCES users(id))`,
  `CREATE TABLE "odd ""table""" ("1" INTEGER, "select" TEXT, "camelCase" TEXT, "quo""te" TEXT)`,
  `CREATE TABLE defaults (id INTEGER PRIMARY KEY, constant TEXT NOT NULL DEFAULT 'constant',
    computed INTEGER DEFAULT (1 + 1), called TEXT, updated TEXT, nullable TEXT,
    doubled INTEGER GENERATED ALWAYS AS (computed * 2) VIRTUAL)`,
  `CREATE VIEW verified_users AS SELECT id, name, upper(name) AS upper FROM users WHERE verified = 1`,
  "CREATE VIEW user_names AS SELECT id, name FROM users",
];
