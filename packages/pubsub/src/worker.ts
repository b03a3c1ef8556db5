export type { ThreadPort, WorkerEventTargetOptions } from "./targets/worker.ts";
export { createWorkerHostEventTarget, createWorkerThreadEventTarget } from "./targets/worker.ts";
