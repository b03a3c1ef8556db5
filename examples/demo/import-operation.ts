import type { HubCaller, HubOperation } from "@alkdev/hub/spoke";
import { type AnyOperation, defineOperation, type OperationContext } from "@alkdev/operations";
import { Type } from "@sinclair/typebox";
import { type LockFile, readLockFile } from "../package-graph/lock-file/lock-file.ts";
import { edgeKey } from "./edge-key.ts";

/** Rows of a call: one commit at the hub. */
const AT_ONCE = 250;

/**
 * `lockfiles.import`: reads a lock file at the spoke and writes it as a graph at the hub, by calls that are
 * children of this one. Killed anywhere and called again, it writes what is missing.
 */
export function importOperation(hubOf: () => HubCaller): HubOperation {
  const operation = defineOperation({
    namespace: "lockfiles",
    name: "import",
    version: "1.0.0",
    type: "mutation",
    description: "Stores a package-lock.json, which the spoke can read, as a graph of packages.",
    inputSchema: Type.Object(
      { path: Type.String({ minLength: 1, maxLength: 4_096 }) },
      { additionalProperties: false },
    ),
    outputSchema: Type.Object({
      graphId: Type.String(),
      nodes: Type.Integer(),
      edges: Type.Integer(),
      calls: Type.Integer(),
    }),
    accessControl: { requiredScopes: ["graphs:write"] },
    errorSchemas: [
      { code: "LOCK_FILE", description: "There is no such file, or it is no lock file." },
    ],
    handler: ({ path }, context) => store(hubOf(), readAt(path), context),
  });
  return { operation: operation as unknown as AnyOperation, repeatable: true };
}

function readAt(path: string): LockFile {
  try {
    return readLockFile(path);
  } catch (error) {
    throw Object.assign(new Error((error as Error).message), { code: "LOCK_FILE" });
  }
}

async function store(hub: HubCaller, lock: LockFile, context: OperationContext) {
  let calls = 0;
  const call = async (operation: string, input: unknown): Promise<unknown> => {
    calls += 1;
    const { requestId: parentRequestId, signal, deadline } = context;
    const { data } = await hub.call(operation, input, {
      // called again it makes the same calls, which the hub knows
      requestId: `${parentRequestId}/${calls}`,
      parentRequestId,
      signal,
      ...(deadline === undefined ? {} : { deadline }),
    });
    return data;
  };
  const graphId = await graphOf(lock, call);
  const { packages, dependencies } = lock.graph;
  for (const some of batches(packages)) {
    const nodes = some.map(({ location, kind, name, version }) => ({
      key: location,
      type: kind,
      attributes: { name, version },
    }));
    await call("nodes.upsertMany", { graphId, nodes });
  }
  for (const some of batches(dependencies)) {
    const edges = some.map((dependency) => {
      const { from: source, to: target, name, spec, kind } = dependency;
      const attributes = { name, spec, kind };
      return { key: edgeKey(dependency), type: "depends_on", source, target, attributes };
    });
    await call("edges.upsertMany", { graphId, edges });
  }
  return { graphId, nodes: packages.length, edges: dependencies.length, calls };
}

/** The graph of this content of the lock file; made by the first import. */
async function graphOf(
  { graph, hash }: LockFile,
  call: (operation: string, input: unknown) => Promise<unknown>,
): Promise<string> {
  const name = `${graph.name} ${hash.slice(0, 12)}`;
  const listed = (await call("graphs.list", { filter: { name: { eq: name } } })) as Page;
  const [known] = listed.items;
  if (known !== undefined) return known.id;
  const types = (await call("graph_types.list", {
    filter: { name: { eq: "package_graph" } },
  })) as Page;
  const [type] = types.items;
  const created = await call("graphs.create", { graphTypeId: type?.id, name, status: "active" });
  return (created as { readonly id: string }).id;
}

interface Page {
  readonly items: readonly { readonly id: string }[];
}

function* batches<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let at = 0; at < rows.length; at += AT_ONCE) yield rows.slice(at, at + AT_ONCE);
}
