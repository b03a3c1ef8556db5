import { accountCommands } from "./commands/account.ts";
import { initCommand } from "./commands/init.ts";
import { keyCommands } from "./commands/key.ts";
import { memberCommands } from "./commands/member.ts";
import { orgCommands } from "./commands/org.ts";
import { peerKeyCommands } from "./commands/peer-key.ts";
import type { AddCommand } from "./shell.ts";

/** Every command of `alkdev`, in the order of its help. */
export const COMMANDS: readonly AddCommand[] = [
  initCommand,
  accountCommands,
  keyCommands,
  peerKeyCommands,
  orgCommands,
  memberCommands,
];
