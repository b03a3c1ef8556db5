import type { SystemDatabase, TenantDatabase } from "@alkdev/storage/sqlite";
import { edgeTypes, graphTypes, nodeTypes } from "@alkdev/storage/sqlite";
import { eq } from "drizzle-orm";

const NAME = "PackageGraph";

const ATTRIBUTES = {
  type: "object",
  required: ["name", "version"],
  properties: {
    name: { type: "string" },
    version: { type: ["string", "null"] },
    transitiveDependencies: { type: "integer", minimum: 0 },
  },
};

/** Defines the graph type in the system database, once. */
export function defineGraphType(system: SystemDatabase): void {
  system.transaction((tx) => {
    const [created] = tx
      .insert(graphTypes)
      .values({
        name: NAME,
        description: "Packages of a project and what they depend on",
        config: { type: "directed", multi: true, allowSelfLoops: true },
      })
      .onConflictDoNothing()
      .returning()
      .all();
    if (created === undefined) return;
    const graphTypeId = created.id;
    tx.insert(nodeTypes)
      .values(
        ["ProjectNode", "WorkspaceNode", "InstalledNode"].map((name) => ({
          graphTypeId,
          name,
          schema: ATTRIBUTES,
        })),
      )
      .run();
    tx.insert(edgeTypes)
      .values({ graphTypeId, name: "DependsOnEdge", schema: { type: "object" } })
      .run();
  });
}

/** Copies the graph type into a tenant's database, since no foreign key crosses files. Returns its id. */
export function copyGraphType(system: SystemDatabase, tenant: TenantDatabase): string {
  const type = system.query.graphTypes
    .findFirst({ where: eq(graphTypes.name, NAME), with: { nodeTypes: true, edgeTypes: true } })
    .sync();
  if (type === undefined) throw new Error(`graph type "${NAME}" is not in the system database`);
  const { nodeTypes: ofNodes, edgeTypes: ofEdges, ...graphType } = type;
  return tenant.transaction((tx) => {
    tx.insert(graphTypes).values(graphType).onConflictDoNothing().run();
    tx.insert(nodeTypes).values(ofNodes).onConflictDoNothing().run();
    tx.insert(edgeTypes).values(ofEdges).onConflictDoNothing().run();
    return graphType.id;
  });
}
