/** What the file knows about itself: whose it is, which graph types it was seeded with. */
export const STORAGE_STATE: readonly string[] = [
  "CREATE TABLE _alk_storage_state (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID",
];
