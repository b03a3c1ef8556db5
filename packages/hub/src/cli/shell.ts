import type { Command } from "commander";
import { type Confirmation, confirm } from "./confirm.ts";
import { DataFolder } from "./data-folder.ts";
import { EXIT } from "./exit-codes.ts";
import { Output } from "./output.ts";
import { ProgressBar } from "./progress.ts";

/** Options that every command takes. */
export interface GlobalOptions {
  readonly data: string;
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly debug?: boolean;
}

/** What a command works with. */
export interface Run {
  readonly out: Output;
  readonly progress: ProgressBar;
  /** The data folder; closed when the command has ended. */
  readonly data: DataFolder;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** Has a person type the name of what goes, unless `--yes` is given. @throws HubError `REFUSED` */
  confirm(confirmation: Confirmation): Promise<void>;
  /** Ends with this status although nothing is thrown. */
  exitWith(code: number): void;
}

/** A command: what it does with its options and arguments. */
export type CommandWork<Options extends object, Args extends readonly unknown[]> = (
  run: Run,
  options: Options,
  ...args: Args
) => void | Promise<void>;

/** Adds one command, or a group of them, to the program. */
export type AddCommand = (program: Command, shell: Shell) => void;

/** Runs commands, and keeps the status with which the program ends. */
export class Shell {
  readonly signal: AbortSignal;
  exitCode: number = EXIT.ok;

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  /** What commander calls for a command: its arguments, its options, and itself. */
  action<Options extends object = object, Args extends readonly unknown[] = readonly []>(
    work: CommandWork<Options, Args>,
  ): (...given: unknown[]) => Promise<void> {
    return async (...given) => {
      const command = given.at(-1) as Command;
      const { data: path, json = false, yes = false } = command.optsWithGlobals<GlobalOptions>();
      const { signal } = this;
      const out = new Output({ json });
      using progress = new ProgressBar({ json });
      using data = new DataFolder(path, (error, context) => out.warn(error, context));
      const run: Run = {
        out,
        progress,
        data,
        signal,
        confirm: (confirmation) => confirm(confirmation, { yes, json, signal }),
        exitWith: (code) => {
          this.exitCode = code;
        },
      };
      await work(run, command.opts() as Options, ...(given.slice(0, -2) as unknown as Args));
    };
  }
}
