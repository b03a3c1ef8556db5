import type { Core } from "../core/core.ts";
import type { DeadLetterWriter } from "./dead-letter-writer.ts";
import type { JobHistoryWriter } from "./job-history.ts";
import type { QueueSettings } from "./queue-options.ts";

/** What the parts of one queue share. */
export interface QueueContext {
  readonly core: Core;
  readonly name: string;
  /** Wakes those who wait for jobs of the queue. */
  readonly topic: string;
  readonly settings: QueueSettings;
  readonly history: JobHistoryWriter;
  readonly burial: DeadLetterWriter;
}
