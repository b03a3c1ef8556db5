import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { HonkerError, type HonkerErrorCode } from "../errors.ts";
import type { BackupProgress } from "../sqlite/connection.ts";
import { type CheckTask, checkFile } from "./check-file.ts";
import { type CopyOutcome, type CopyTask, copyDatabase } from "./copy-database.ts";
import type { IntegrityReport } from "./integrity.ts";

/** Work on a whole file, which would keep the event loop busy when the file is large. */
export type FileTask = CopyTask | CheckTask;

/** What a {@link FileTask} gives. */
export interface FileOutcomes {
  readonly copy: CopyOutcome;
  readonly check: IntegrityReport;
}

/** How a {@link FileTask} is run. */
export interface OffloadOptions {
  /** Size of the file; below 4 MiB a thread would cost more than it saves. */
  readonly bytes: number;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/** What the thread sends. */
export type WorkerMessage =
  | { readonly kind: "progress"; readonly progress: BackupProgress }
  | { readonly kind: "done"; readonly outcome: FileOutcomes[FileTask["kind"]] }
  | { readonly kind: "failed"; readonly error: PlainError };

/** An error as it crosses threads; structured cloning would drop its code. */
export interface PlainError {
  readonly message: string;
  readonly code?: HonkerErrorCode;
  readonly hint?: string | undefined;
}

/** A check of 4 MiB was measured at about 10 ms, starting a thread at 30 to 50 ms. */
const INLINE_BYTES = 4 * 1024 * 1024;

/**
 * What the thread runs, of the same kind as this file: source in tests, compiled in a package. It is not
 * there when an application was bundled into one file; then everything runs in the caller's thread.
 */
const WORKER = new URL(
  `./offload-worker.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`,
  import.meta.url,
);

/** Runs `task` here when the file is small, else in a thread of its own, which ends with it. */
export async function offload<T extends FileTask>(
  task: T,
  options: OffloadOptions,
): Promise<FileOutcomes[T["kind"]]> {
  options.signal.throwIfAborted();
  const outcome =
    options.bytes < INLINE_BYTES || !existsSync(WORKER)
      ? runFileTask(task, (progress) => {
          options.signal.throwIfAborted();
          options.onProgress?.(progress);
        })
      : runInThread(task, options);
  return (await outcome) as FileOutcomes[T["kind"]];
}

/** Runs `task` in this thread. */
export async function runFileTask(
  task: FileTask,
  onProgress: (progress: BackupProgress) => void,
): Promise<FileOutcomes[FileTask["kind"]]> {
  return task.kind === "copy" ? copyDatabase(task, onProgress) : checkFile(task);
}

/** The parts of `error` that survive the way to another thread. */
export function toPlainError(error: unknown): PlainError {
  if (!(error instanceof HonkerError)) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
  const { code, hint, message } = error;
  return { code, hint, message: hint === undefined ? message : message.slice(0, -hint.length - 2) };
}

async function runInThread(
  task: FileTask,
  { signal, onProgress }: OffloadOptions,
): Promise<FileOutcomes[FileTask["kind"]]> {
  const worker = new Worker(WORKER, {
    workerData: task,
    name: `honker ${task.kind}`,
  });
  let onAbort: (() => void) | undefined;
  try {
    return await new Promise((resolve, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      worker.on("error", reject);
      worker.on("exit", () =>
        reject(new HonkerError("IO_ERROR", `the ${task.kind} thread ended early`)),
      );
      worker.on("message", (message: WorkerMessage) => {
        if (message.kind === "done") resolve(message.outcome);
        else if (message.kind === "failed") reject(fromPlainError(message.error));
        else report(message.progress, onProgress, reject);
      });
    });
  } finally {
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}

function report(
  progress: BackupProgress,
  onProgress: OffloadOptions["onProgress"],
  reject: (error: unknown) => void,
): void {
  try {
    onProgress?.(progress);
  } catch (error) {
    reject(error);
  }
}

function fromPlainError({ code, message, hint }: PlainError): Error {
  if (code === undefined) return new Error(message);
  return new HonkerError(code, message, hint === undefined ? {} : { hint });
}
