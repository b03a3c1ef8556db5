import type { Command } from "commander";
import { type Confirmation, confirm } from "./confirm.ts";
import type { DataFolder } from "./data-folder.ts";
import { EXIT } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { Output } from "./output.ts";
import { ProgressBar } from "./progress.ts";

/** Options that every command takes. */
export interface GlobalOptions {
  readonly data: string;
  readonly tables?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly debug?: boolean;
}

/** What a command works with. */
export interface Run {
  readonly out: Output;
  readonly progress: ProgressBar;
  readonly io: Io;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** Has a person type the name of what goes, unless `--yes` is given. @throws HubError `REFUSED` */
  confirm(confirmation: Confirmation): Promise<void>;
  /** Ends with this status although nothing is thrown. */
  exitWith(code: number): void;
}

/** What a command over the data folder works with. */
export interface DataRun extends Run {
  /** Closed when the command has ended. */
  readonly data: DataFolder;
}

/** A command: what it does with its options and arguments. */
export type CommandWork<R extends Run, Options extends object, Args extends readonly unknown[]> = (
  run: R,
  options: Options,
  ...args: Args
) => void | Promise<void>;

/** Gives a command its arguments, options and commands below it. */
export type DefineCommand = (command: Command, shell: Shell) => void;

/** What {@link Shell} is made of. */
export interface ShellParts {
  readonly io: Io;
  /** Whether `--json` is among the arguments, also where they make no sense. */
  readonly json: boolean;
  /** Aborted when the program shall stop. */
  readonly signal: AbortSignal;
  /** The program with every command loaded. */
  readonly wholeProgram: () => Promise<Command>;
}

/** Runs commands, and keeps the status with which the program ends. */
export class Shell {
  readonly io: Io;
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly wholeProgram: () => Promise<Command>;
  exitCode: number = EXIT.ok;

  constructor({ io, json, signal, wholeProgram }: ShellParts) {
    this.io = io;
    this.json = json;
    this.signal = signal;
    this.wholeProgram = wholeProgram;
  }

  /** What commander calls for a command over the data folder. */
  action<Options extends object = object, Args extends readonly unknown[] = readonly []>(
    work: CommandWork<DataRun, Options, Args>,
  ): (...given: unknown[]) => Promise<void> {
    return this.#action<Options, Args>(async (run, options, globals, args) => {
      using data = await dataFolder(globals, run.out);
      await work({ ...run, data }, options, ...args);
    });
  }

  /** What commander calls for a command that needs no data folder. */
  remote<Options extends object = object, Args extends readonly unknown[] = readonly []>(
    work: CommandWork<Run, Options, Args>,
  ): (...given: unknown[]) => Promise<void> {
    return this.#action<Options, Args>(async (run, options, _, args) => {
      await work(run, options, ...args);
    });
  }

  /** Commander gives the arguments of a command, its options, and itself. */
  #action<Options extends object, Args extends readonly unknown[]>(
    work: (run: Run, options: Options, globals: GlobalOptions, args: Args) => Promise<void>,
  ): (...given: unknown[]) => Promise<void> {
    return async (...given) => {
      const command = given.at(-1) as Command;
      const globals = command.optsWithGlobals<GlobalOptions>();
      const { json = false, yes = false } = globals;
      const { io, signal } = this;
      using progress = new ProgressBar(io.stderr, { json });
      const run: Run = {
        out: new Output({ json, io }),
        progress,
        io,
        signal,
        confirm: (confirmation) => confirm(confirmation, { yes, json, signal, io }),
        exitWith: (code) => {
          this.exitCode = code;
        },
      };
      const args = given.slice(0, -2) as unknown as Args;
      await work(run, command.opts() as Options, globals, args);
    };
  }
}

/**
 * Loaded only by commands that need it: it brings the engine. In a function of its own, since TypeScript 6.0
 * leaves the extension of a dynamic import as it is in a function that has `using`.
 */
async function dataFolder({ data, tables }: GlobalOptions, out: Output): Promise<DataFolder> {
  const { DataFolder: Folder } = await import("./data-folder.ts");
  return new Folder(data, {
    onError: (error, context) => out.warn(error, context),
    ...(tables === undefined ? {} : { migrationsFolder: tables }),
  });
}
