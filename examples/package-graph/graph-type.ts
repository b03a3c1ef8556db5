import {
  defineModule,
  edgeAttributes,
  graphConfig,
  nodeAttributes,
  systemModules,
} from "@alkdev/storage/graphs";
import { Type } from "@sinclair/typebox";

/** What is known of a package; the counts are written by the worker. */
const attributes = {
  name: Type.String({ minLength: 1 }),
  version: Type.Union([Type.String(), Type.Null()]),
  transitiveDependencies: Type.Optional(Type.Integer({ minimum: 0 })),
  /** Deliveries of the job that counted. */
  attempts: Type.Optional(Type.Integer({ minimum: 1 })),
  /** How often the count took effect: once, or something is wrong. */
  timesCounted: Type.Optional(Type.Integer({ minimum: 1 })),
};

/** Packages of a project, each where it is installed, and which package needs which. */
export const PackageGraph = defineModule(
  { name: "package_graph", description: "Packages of a project and what they depend on" },
  {
    // a package may declare one dependency under two names, and depend on itself
    Config: graphConfig({ type: "directed", multi: true, allowSelfLoops: true }),
    ProjectNode: nodeAttributes(attributes, { description: "The project itself" }),
    WorkspaceNode: nodeAttributes(attributes, { description: "A folder of the project" }),
    InstalledNode: nodeAttributes(attributes, { description: "A package in node_modules" }),
    DependsOnEdge: edgeAttributes({
      name: Type.String(),
      spec: Type.String(),
      kind: Type.Union([
        Type.Literal("prod"),
        Type.Literal("dev"),
        Type.Literal("optional"),
        Type.Literal("peer"),
        Type.Literal("optional peer"),
      ]),
    }),
  },
);

/** The graph types of every file of this example. */
export const graphModules = [...systemModules, PackageGraph];
