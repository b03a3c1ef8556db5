import { LOCK_SCHEMA } from "../lock/lock-schema.ts";
import { QUEUE_SCHEMA } from "../queue/queue-schema.ts";
import { QUEUE_SCHEMA_2 } from "../queue/queue-schema-2.ts";
import { RATE_LIMIT_SCHEMA } from "../rate-limit/rate-limit-schema.ts";
import { SCHEDULE_SCHEMA } from "../schedule/schedule-schema.ts";
import { STREAM_SCHEMA } from "../stream/stream-schema.ts";

/**
 * Our own tables, columns and indexes beside Honker's: prefix `_alk_` for tables and indexes, `alk_`
 * for columns added to Honker's tables (each nullable or with a default, so that Honker's own INSERTs,
 * which name their columns, go on working). Each part of the engine describes its own in a file of its
 * folder.
 */
export interface CompanionMigration {
  readonly version: number;
  readonly script: string;
}

/** In order; a released one is never edited. */
export const COMPANION_MIGRATIONS: readonly CompanionMigration[] = [
  {
    version: 1,
    script: [LOCK_SCHEMA, QUEUE_SCHEMA, RATE_LIMIT_SCHEMA, SCHEDULE_SCHEMA, STREAM_SCHEMA].join(
      "\n",
    ),
  },
  { version: 2, script: QUEUE_SCHEMA_2 },
];
