import { resolve } from "node:path";
import { collect } from "../arguments/whole.ts";
import { openPlace, type PlaceOptions, withPlace } from "../places/place.ts";
import type { DataRun, DefineCommand } from "../shell.ts";
import { loadTransfer, transferOptions } from "../transfer.ts";

interface ExportOptions extends PlaceOptions {
  readonly table?: readonly string[];
}

/** `alkdev export` */
export const defineExport: DefineCommand = (command, shell) => {
  withPlace(command)
    .arguments("<folder>")
    .option("--table <name>", "only this table; repeatable", collect)
    .action(shell.action<ExportOptions, [string]>(exportTo));
};

async function exportTo(run: DataRun, options: ExportOptions, folder: string): Promise<void> {
  const { data, out, progress } = run;
  const { table: tables } = options;
  const { exportDatabase } = await loadTransfer();
  using place = openPlace(data, options);
  const manifest = await exportDatabase({
    ...transferOptions(run),
    db: place.db,
    out: folder,
    ...(tables === undefined ? {} : { tables }),
  });
  progress.clear();
  out.result({ folder: resolve(folder), ...manifest }, () =>
    out.table(
      manifest.tables,
      [
        { header: "table", value: ({ table }) => table },
        { header: "rows", value: ({ rows }) => rows, align: "right" },
        { header: "bytes", value: ({ bytes }) => bytes, align: "right" },
        { header: "file", value: ({ file }) => file },
      ],
      "There are no tables.",
    ),
  );
}
