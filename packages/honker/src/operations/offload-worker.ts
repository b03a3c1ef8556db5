// Entry point of the thread that offload.ts starts.
import { parentPort, workerData } from "node:worker_threads";
import { type FileTask, runFileTask, toPlainError, type WorkerMessage } from "./offload.ts";

const send = (message: WorkerMessage): void => parentPort?.postMessage(message);

try {
  const outcome = await runFileTask(workerData as FileTask, (progress) =>
    send({ kind: "progress", progress }),
  );
  send({ kind: "done", outcome });
} catch (error) {
  send({ kind: "failed", error: toPlainError(error) });
}
