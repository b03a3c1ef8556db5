import { statSync } from "node:fs";
import { resolve } from "node:path";
import { HubError } from "../../errors.ts";
import { restoreFolder } from "../backup/restore-folder.ts";
import { takeBackup } from "../backup/take-backup.ts";
import { problemOfFile, type VerifiedFile, verifyBackup } from "../backup/verify-backup.ts";
import { EXIT } from "../exit-codes.ts";
import type { DataRun, DefineCommand } from "../shell.ts";

/** `alkdev backup` */
export const defineBackup: DefineCommand = (command, shell) => {
  command.arguments("<folder>").action(shell.action<object, [string]>(backup));
};

/** `alkdev restore` */
export const defineRestore: DefineCommand = (command, shell) => {
  command.arguments("<folder>").action(shell.action<object, [string]>(restore));
};

/** `alkdev verify` */
export const defineVerify: DefineCommand = (command, shell) => {
  command.arguments("<path>").action(shell.action<object, [string]>(verify));
};

async function backup(run: DataRun, _: object, folder: string): Promise<void> {
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

async function restore(run: DataRun, _: object, folder: string): Promise<void> {
  run.out.result(await restoreFolder(run, folder), (restored) => run.out.fields(restored));
}

async function verify(run: DataRun, _: object, path: string): Promise<void> {
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

async function verified(run: DataRun, path: string): Promise<readonly VerifiedFile[]> {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (entry === undefined) {
    throw new HubError("NOT_FOUND", `there is no "${path}"`, { details: { path } });
  }
  if (entry.isDirectory()) return await verifyBackup(run, path);
  const problem = await problemOfFile(resolve(path), run.signal);
  return [{ name: path, orgId: null, ok: problem === null, problem }];
}
