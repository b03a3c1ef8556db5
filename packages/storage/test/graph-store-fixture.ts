import type { Database, SqlInput } from "@alkdev/honker";
import {
  defineModule,
  edgeAttributes,
  edgeConstraints,
  graphConfig,
  nodeAttributes,
} from "@alkdev/storage/graphs";
import {
  createGraphStore,
  createTenantDatabase,
  type Graph,
  type GraphStore,
  registerGraphType,
  type TenantDatabase,
} from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { Type } from "@sinclair/typebox";

/** Tasks, people, and edges with and without rules about their ends. */
export const TaskGraph = defineModule(
  { name: "task_graph" },
  {
    Config: graphConfig({ type: "mixed" }),
    TaskNode: nodeAttributes(
      {
        title: Type.String(),
        state: Type.Optional(Type.Union([Type.Literal("open"), Type.Literal("done")])),
        size: Type.Optional(Type.Object({ width: Type.Number() })),
      },
      { open: true },
    ),
    PersonNode: nodeAttributes({ name: Type.String() }),
    WaitsForEdge: edgeAttributes({ weight: Type.Optional(Type.Number()) }),
    WaitsForEdgeConstraints: edgeConstraints({ from: ["task"], to: ["task"] }),
    OwnsEdge: edgeAttributes({}),
    OwnsEdgeConstraints: edgeConstraints({ from: ["person"], to: ["task"] }),
    RelatesEdge: edgeAttributes({}, { open: true }),
  },
);

/** Anything between anything. */
const LooseGraph = defineModule(
  { name: "loose_graph" },
  {
    Config: graphConfig({ type: "mixed", multi: true, allowSelfLoops: true }),
    ThingNode: nodeAttributes({}, { open: true }),
    LinkEdge: edgeAttributes({}, { open: true }),
  },
);

/** Edges without a direction. */
const FriendGraph = defineModule(
  { name: "friend_graph" },
  {
    Config: graphConfig({ type: "undirected" }),
    PersonNode: nodeAttributes({}, { open: true }),
    KnowsEdge: edgeAttributes({}),
  },
);

/** Edges with a direction. */
const DirectedGraph = defineModule(
  { name: "directed_graph" },
  {
    Config: graphConfig({ type: "directed" }),
    ThingNode: nodeAttributes({}, { open: true }),
    LinkEdge: edgeAttributes({}),
  },
);

export interface Fixture {
  readonly client: Database;
  readonly db: TenantDatabase;
  readonly store: GraphStore;
  /** A task graph. */
  readonly graph: Graph;
}

/** A tenant's file with the graph types above. */
export function fixture(client: Database = tempDatabase()): Fixture {
  const db = createTenantDatabase(client);
  for (const module of [TaskGraph, LooseGraph, FriendGraph, DirectedGraph]) {
    registerGraphType(db, module);
  }
  const store = createGraphStore(db);
  const { id } = store.createGraph({ type: "task_graph", name: "tasks" });
  return { client, db, store, graph: store.graph(id) };
}

/** A new graph of another type. */
export function graphOf({ store }: Fixture, type: string): Graph {
  return store.graph(store.createGraph({ type, name: type }).id);
}

/** A task node. */
export const task = (key: string, attributes: Record<string, unknown> = {}) => ({
  key,
  type: "task",
  attributes: { title: key, ...attributes },
});

/** A person node. */
export const person = (key: string) => ({ key, type: "person", attributes: { name: key } });

/** Everything written to the notification table, oldest first. */
export function events(client: Database): readonly (readonly [string, unknown])[] {
  return client
    .rows("SELECT channel, payload FROM _honker_notifications ORDER BY id")
    .map(([channel, payload]) => [String(channel), JSON.parse(String(payload))] as const);
}

/** How SQLite would run the last statement that returned rows during `call`; handles must be made in it. */
export function planOf({ client }: Fixture, call: () => unknown): string {
  let last: readonly [sql: string, params: readonly SqlInput[]] = ["", []];
  const prepare = client.prepare.bind(client);
  client.prepare = (sql) => {
    const statement = prepare(sql);
    const rows = statement.rows.bind(statement);
    statement.rows = (params = []) => {
      last = [sql, params];
      return rows(params);
    };
    return statement;
  };
  try {
    call();
  } finally {
    client.prepare = prepare;
  }
  const [sql, params] = last;
  return client
    .rows(`EXPLAIN QUERY PLAN ${sql}`, params)
    .map((row) => String(row[3]))
    .join("\n");
}
