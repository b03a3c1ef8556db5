import type { DefineCommand } from "./shell.ts";

/** A command of `alkdev`, loaded when it is asked for: help and completion need no database. */
export interface TopCommand {
  readonly name: string;
  /** One line, for the help of the program. */
  readonly summary: string;
  readonly load: () => Promise<DefineCommand>;
}

/** Every command, in the order of the help. */
export const COMMANDS: readonly TopCommand[] = [
  {
    name: "init",
    summary: "make a data folder with an administrator and a key",
    load: async () => (await import("./commands/init.ts")).defineInit,
  },
  {
    name: "hub",
    summary: "serve the data folder over HTTP and WebSocket",
    load: async () => (await import("./commands/hub.ts")).defineHub,
  },
  {
    name: "workers",
    summary: "work on the queues and schedules of all files",
    load: async () => (await import("./commands/workers.ts")).defineWorkers,
  },
  {
    name: "spoke",
    summary: "serve the operations of a module through a hub",
    load: async () => (await import("./commands/spoke.ts")).defineSpoke,
  },
  {
    name: "call",
    summary: "call an operation of a hub",
    load: async () => (await import("./commands/call.ts")).defineCall,
  },
  {
    name: "operations",
    summary: "list what can be called at a hub, also what spokes serve",
    load: async () => (await import("./commands/operations.ts")).defineOperations,
  },
  {
    name: "watch",
    summary: "print events and notifications as they come",
    load: async () => (await import("./commands/watch.ts")).defineWatch,
  },
  {
    name: "status",
    summary: "whether a hub takes calls, and how it is",
    load: async () => (await import("./commands/status.ts")).defineStatus,
  },
  {
    name: "account",
    summary: "people and programs that sign in",
    load: async () => (await import("./commands/account.ts")).defineAccount,
  },
  {
    name: "key",
    summary: "API keys",
    load: async () => (await import("./commands/key.ts")).defineKey,
  },
  {
    name: "peer-key",
    summary: "SSH keys by which accounts and spokes sign in",
    load: async () => (await import("./commands/peer-key.ts")).definePeerKey,
  },
  {
    name: "org",
    summary: "organisations",
    load: async () => (await import("./commands/org.ts")).defineOrg,
  },
  {
    name: "member",
    summary: "who is in which organisation",
    load: async () => (await import("./commands/member.ts")).defineMember,
  },
  {
    name: "audit",
    summary: "who did what, newest first",
    load: async () => (await import("./commands/audit.ts")).defineAudit,
  },
  {
    name: "tenant",
    summary: "the files of organisations, and their life",
    load: async () => (await import("./commands/tenant.ts")).defineTenant,
  },
  {
    name: "tenants",
    summary: "migrate the files of all tenants to the newest version",
    load: async () => (await import("./commands/tenants.ts")).defineTenants,
  },
  {
    name: "queue",
    summary: "work queues, their jobs and dead letters",
    load: async () => (await import("./commands/queue.ts")).defineQueue,
  },
  {
    name: "stream",
    summary: "event streams and their consumers",
    load: async () => (await import("./commands/stream.ts")).defineStream,
  },
  {
    name: "lock",
    summary: "locks and who holds them",
    load: async () => (await import("./commands/lock.ts")).defineLock,
  },
  {
    name: "schedule",
    summary: "what runs at a time of day",
    load: async () => (await import("./commands/schedule.ts")).defineSchedule,
  },
  {
    name: "import",
    summary: "bring data from PostgreSQL, Redis or BullMQ",
    load: async () => (await import("./commands/import.ts")).defineImport,
  },
  {
    name: "export",
    summary: "write everything that a file holds as NDJSON with JSON Schemas",
    load: async () => (await import("./commands/export.ts")).defineExport,
  },
  {
    name: "backup",
    summary: "copy everything into a new folder, verified, while it is in use",
    load: async () => (await import("./commands/backup.ts")).defineBackup,
  },
  {
    name: "restore",
    summary: "make a new data folder (--data) from a backup, verified",
    load: async () => (await import("./commands/backup.ts")).defineRestore,
  },
  {
    name: "verify",
    summary: "check a backup, or one exported file, by restoring a copy of it",
    load: async () => (await import("./commands/backup.ts")).defineVerify,
  },
  {
    name: "doctor",
    summary: "look for what is wrong in system.db and in every tenant's file",
    load: async () => (await import("./commands/doctor.ts")).defineDoctor,
  },
  {
    name: "completion",
    summary: "print a completion script for bash, zsh or fish",
    load: async () => (await import("./commands/completion.ts")).defineCompletion,
  },
];
