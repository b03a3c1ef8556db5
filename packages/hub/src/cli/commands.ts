import { accountCommands } from "./commands/account.ts";
import { backupCommands } from "./commands/backup.ts";
import { callCommand } from "./commands/call.ts";
import { completionCommand } from "./commands/completion.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { hubCommand } from "./commands/hub.ts";
import { initCommand } from "./commands/init.ts";
import { keyCommands } from "./commands/key.ts";
import { lockCommands } from "./commands/lock.ts";
import { memberCommands } from "./commands/member.ts";
import { operationsCommand } from "./commands/operations.ts";
import { orgCommands } from "./commands/org.ts";
import { peerKeyCommands } from "./commands/peer-key.ts";
import { queueCommands } from "./commands/queue.ts";
import { scheduleCommands } from "./commands/schedule.ts";
import { spokeCommand } from "./commands/spoke.ts";
import { statusCommand } from "./commands/status.ts";
import { streamCommands } from "./commands/stream.ts";
import { tenantCommands } from "./commands/tenant.ts";
import { tenantsCommands } from "./commands/tenants.ts";
import { watchCommands } from "./commands/watch.ts";
import { workersCommand } from "./commands/workers.ts";
import type { AddCommand } from "./shell.ts";

/** Every command of `alkdev`, in the order of its help. */
export const COMMANDS: readonly AddCommand[] = [
  initCommand,
  hubCommand,
  workersCommand,
  spokeCommand,
  callCommand,
  operationsCommand,
  watchCommands,
  statusCommand,
  accountCommands,
  keyCommands,
  peerKeyCommands,
  orgCommands,
  memberCommands,
  tenantCommands,
  tenantsCommands,
  queueCommands,
  streamCommands,
  lockCommands,
  scheduleCommands,
  backupCommands,
  doctorCommand,
  completionCommand,
];
