import type { HubCaller } from "@alkdev/hub/spoke";
import type { LockFile } from "../package-graph/lock-file/lock-file.ts";
import type { ProgressLine } from "../package-graph/progress.ts";
import { all } from "./all-pages.ts";
import { checkGraph } from "./check-graph.ts";
import { edgeKey } from "./edge-key.ts";
import type { Report } from "./report.ts";

/** What {@link importThroughSpoke} works with. */
export interface RunOptions {
  readonly client: HubCaller;
  readonly lock: LockFile;
  readonly progress: ProgressLine;
  readonly signal: AbortSignal;
}

/** Milliseconds the import may take. */
const TIMEOUT_MS = 300_000;

/** Calls the spoke, watches what it writes, and checks the graph against the lock file. */
export async function importThroughSpoke(options: RunOptions): Promise<Report> {
  const { client, lock, progress, signal } = options;
  const requestId = `import-${crypto.randomUUID()}`;
  await spokeIsThere(client, signal);
  const began = performance.now();
  const watched = new AbortController();
  const watching = watch(options, watched.signal);
  const imported = (
    await client.call(
      "lockfiles.import",
      { path: lock.path },
      { requestId, signal, timeoutMs: TIMEOUT_MS },
    )
  ).data as { graphId: string; nodes: number; edges: number; calls: number };
  watched.abort();
  await watching;
  progress.clear();
  const importMs = performance.now() - began;
  const problems = await checkGraph(client, { lock, graphId: imported.graphId });
  const call = await projected(client, requestId, signal);
  const children = await all(client, "calls.children", { requestId });
  const { counts } = (await client.call("calls.counts", {})).data as Pick<
    Report["calls"],
    "counts"
  >;
  const slowest = (await client.call("calls.slowest", { limit: 10 })).data as {
    readonly calls: Report["calls"]["slowest"];
  };
  return {
    source: lock.path,
    ...imported,
    links: lock.graph.links,
    importMs,
    calls: {
      children: children.length,
      counts,
      slowest: slowest.calls
        .filter(({ operationId }) => operationId !== "channels.listen")
        .slice(0, 3),
      importStatus: call.status,
    },
    problems,
    ok: problems.length === 0 && children.length === imported.calls && call.status === "completed",
  };
}

/** The spoke registers some hundred milliseconds after it was started; of an earlier one the hub knows. */
async function spokeIsThere(client: HubCaller, signal: AbortSignal): Promise<void> {
  await until(signal, "the spoke to join", async () => {
    const { data } = await client.call("spokes.list", {});
    const { items } = data as { readonly items: readonly { readonly connected: boolean }[] };
    return items.some(({ connected }) => connected) || undefined;
  });
}

/** The call as the call graph shows it, once its end is there. */
async function projected(client: HubCaller, requestId: string, signal: AbortSignal) {
  return await until(signal, "the call in the call graph", async () => {
    const { data } = await client.call("calls.get", { requestId });
    const call = data as { readonly status: string } | null;
    return call === null || call.status === "pending" ? undefined : call;
  });
}

/** Shows how much of the graph the hub has told of; it tells of other graphs, too. */
async function watch({ client, lock, progress }: RunOptions, signal: AbortSignal): Promise<void> {
  const { packages, dependencies } = lock.graph;
  const awaited = new Set([
    ...packages.map(({ location }) => location),
    ...dependencies.map(edgeKey),
  ]);
  const total = awaited.size;
  const follow = async (channel: string): Promise<void> => {
    for await (const { data } of client.subscribe("channels.listen", { channel }, { signal })) {
      const { payload } = data as { readonly payload: { readonly keys: readonly string[] } };
      for (const key of payload.keys) awaited.delete(key);
      progress.update({ phase: "packages and needs", done: total - awaited.size, total });
    }
  };
  await Promise.all([follow("nodes:created"), follow("edges:created")]);
}

/** Asks again until there is an answer. */
async function until<Answer>(
  signal: AbortSignal,
  what: string,
  ask: () => Promise<Answer | undefined>,
): Promise<Answer> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    signal.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited a minute for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
