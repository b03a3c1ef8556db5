/**
 * Our own tables, columns and indexes beside Honker's: prefix `_alk_` for tables and indexes, `alk_`
 * for columns added to Honker's tables (each nullable or with a default, so that Honker's own INSERTs,
 * which name their columns, go on working).
 */
export interface CompanionMigration {
  readonly version: number;
  readonly script: string;
}

/** In order; a released one is never edited. */
export const COMPANION_MIGRATIONS: readonly CompanionMigration[] = [
  {
    version: 1,
    script: `
      -- ready jobs in claim order; Honker's own index also holds running jobs (see docs/architecture/queues.md)
      CREATE INDEX IF NOT EXISTS _alk_live_ready
        ON _honker_live (queue, priority DESC, run_at, id) WHERE state = 'pending';
      -- due times below one second: run_at is the whole second at or after this one
      ALTER TABLE _honker_live ADD COLUMN alk_run_at_ms INTEGER;
    `,
  },
];
