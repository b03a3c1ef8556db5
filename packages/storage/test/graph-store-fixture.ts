import { type Database, open } from "@alkdev/honker";
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
export const LooseGraph = defineModule(
  { name: "loose_graph" },
  {
    Config: graphConfig({ type: "mixed", multi: true, allowSelfLoops: true }),
    ThingNode: nodeAttributes({}, { open: true }),
    LinkEdge: edgeAttributes({}, { open: true }),
  },
);

/** Edges without a direction. */
export const FriendGraph = defineModule(
  { name: "friend_graph" },
  {
    Config: graphConfig({ type: "undirected" }),
    PersonNode: nodeAttributes({}, { open: true }),
    KnowsEdge: edgeAttributes({}),
  },
);

/** Edges with a direction. */
export const DirectedGraph = defineModule(
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

/** Opens the file of another database as a second process would. */
export function reopened(path: string): GraphStore {
  return createGraphStore(createTenantDatabase(open(path)));
}

/** Everything written to the notification table, oldest first. */
export function events(client: Database): readonly (readonly [string, unknown])[] {
  return client
    .rows("SELECT channel, payload FROM _honker_notifications ORDER BY id")
    .map(([channel, payload]) => [String(channel), JSON.parse(String(payload))] as const);
}
