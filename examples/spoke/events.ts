/** The events of the organisation and of its spokes: one map for all. */
export interface Events {
  /** For whoever listens at the hub. */
  "price.changed": { readonly article: string };
  /** A spoke's own business; never leaves its file. */
  "cache.cleared": { readonly key: string };
}
