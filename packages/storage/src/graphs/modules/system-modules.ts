import { AclGraph } from "./acl-graph.ts";
import { CallGraph } from "./call-graph.ts";
import type { AnyModule, GraphModule } from "./graph-module.ts";
import { SecretGraph } from "./secret-graph.ts";

/** The graph types that every tenant has; they belong to the scope `system`. */
export const systemModules: readonly (AnyModule & Pick<GraphModule, "name" | "version">)[] = [
  CallGraph,
  SecretGraph,
  AclGraph,
];
