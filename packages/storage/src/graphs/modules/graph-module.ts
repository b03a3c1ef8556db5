import type { Static, TImport, TModule, TProperties } from "@sinclair/typebox";

/** What a Module is called and which version of its data the code expects. */
export interface ModuleInfo {
  /** Name of the graph type, in snake_case: `call_graph`. */
  readonly name: string;
  /** One sentence for people; empty by default. */
  readonly description?: string;
  /**
   * The version of the stored data that this code reads and writes: an even number, 2 by default. Raise
   * it by two with every breaking change, together with a migration.
   */
  readonly version?: number;
}

/** A TypeBox Module that knows its name and version; see `defineModule`. */
export type GraphModule<Entries extends TProperties = TProperties> = TModule<Entries> &
  Required<ModuleInfo>;

/** A graph Module, or a plain TypeBox one. */
// biome-ignore lint/suspicious/noExplicitAny: TModule is invariant in its entries, so only `any` takes every Module
export type AnyModule = TModule<any, any>;

/** The entries of a Module with references resolved. */
type ComputedEntries<Module extends AnyModule> =
  Module extends TModule<infer _Entries, infer Computed> ? Computed : never;

/** Names of a Module's node types, as its entries are called: `CallNode`. */
export type NodeEntryOf<Module extends AnyModule> = Exclude<
  Extract<keyof ComputedEntries<Module>, `${string}Node`>,
  "BaseNode"
>;

/** Names of a Module's edge types, as its entries are called: `TriggeredEdge`. */
export type EdgeEntryOf<Module extends AnyModule> = Exclude<
  Extract<keyof ComputedEntries<Module>, `${string}Edge`>,
  "BaseEdge"
>;

/** What values of a Module's entry look like. */
export type EntryOf<Module extends AnyModule, Name extends keyof ComputedEntries<Module>> = Static<
  TImport<ComputedEntries<Module>, Name>
>;
