import { statSync } from "node:fs";
import { resolve } from "node:path";
import { HubError } from "../../errors.ts";
import { restoreFolder } from "../backup/restore-folder.ts";
import { takeBackup } from "../backup/take-backup.ts";
import { problemOfFile, type VerifiedFile, verifyBackup } from "../backup/verify-backup.ts";
import { EXIT } from "../exit-codes.ts";
import type { AddCommand, Run } from "../shell.ts";

/** `alkdev backup`, `restore` and `verify` */
export const backupCommands: AddCommand = (program, shell) => {
  program
    .command("backup <folder>")
    .description("copy everything into a new folder, verified, while it is in use")
    .action(shell.action<object, [string]>(backup));
  program
    .command("restore <folder>")
    .description("make a new data folder (--data) from a backup, verified")
    .action(shell.action<object, [string]>(restore));
  program
    .command("verify <path>")
    .description("check a backup, or one exported file, by restoring a copy of it")
    .action(shell.action<object, [string]>(verify));
};

async function backup(run: Run, _: object, folder: string): Promise<void> {
  const manifest = await takeBackup(run, folder);
  const { files, leftOut } = manifest;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  for (const { orgId, reason } of leftOut) {
    run.out.note(`Left out: tenant ${orgId}: ${reason}`);
  }
  run.out.result({ folder: resolve(folder), bytes, ...manifest }, (taken) =>
    run.out.fields({
      folder: taken.folder,
      files: files.length,
      bytes,
      "left out": leftOut.length,
      taken: taken.takenAt,
    }),
  );
}

async function restore(run: Run, _: object, folder: string): Promise<void> {
  run.out.result(await restoreFolder(run, folder), (restored) => run.out.fields(restored));
}

async function verify(run: Run, _: object, path: string): Promise<void> {
  const files = await verified(run, path);
  const ok = files.every((file) => file.ok);
  if (!ok) run.exitWith(EXIT.trouble);
  run.out.result({ path: resolve(path), ok, files }, () =>
    run.out.table(
      files,
      [
        { header: "file", value: ({ name }) => name },
        { header: "state", value: (file) => (file.ok ? "good" : "bad") },
        { header: "problem", value: ({ problem }) => problem, shrinks: true },
      ],
      "It holds no files.",
    ),
  );
}

async function verified(run: Run, path: string): Promise<readonly VerifiedFile[]> {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (entry === undefined) {
    throw new HubError("NOT_FOUND", `there is no "${path}"`, { details: { path } });
  }
  if (entry.isDirectory()) return await verifyBackup(run, path);
  const problem = await problemOfFile(resolve(path), run.signal);
  return [{ name: path, orgId: null, ok: problem === null, problem }];
}
