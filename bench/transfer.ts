// A hub of a million rows from PostgreSQL into system.db and tenant files: rows per second and memory of
// the whole import and of its parts, against COPY into prepared inserts on bare SQLite without an index,
// a check or a second look (the floor), in the same run and each in a process of its own.
// Run: npm run bench:transfer [-- --rows 1000000 --rounds 1] (POSTGRES_URL, default the local server)
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { importPostgres, seedPostgresHub } from "@alkdev/transfer";
import Database from "better-sqlite3";
import { Client } from "pg";
import { to as copyTo } from "pg-copy-streams";

const { POSTGRES_URL: url = "postgres://postgres@127.0.0.1:5432/test" } = process.env;
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "1" },
    part: { type: "string" },
    schema: { type: "string", default: "bench_transfer" },
  },
});
const { schema } = values;

interface Part {
  readonly rows: number;
  readonly seconds: number;
  /** Seconds until the verification begins. */
  readonly read: number;
  /** Of this process, without PostgreSQL; says more than the clock on a busy machine. */
  readonly cpu: number;
  /** The same until the verification begins. */
  readonly readCpu: number;
  readonly peakMb: number;
  readonly firstMb: number;
}

const peakMb = (): number => Math.round(process.resourceUsage().maxRSS / 1_024);

async function onPostgres<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

/** Ours. */
async function imported(folder: string): Promise<Part> {
  const began = performance.now();
  const cpuBefore = cpuSeconds();
  let read = 0;
  let readCpu = 0;
  let firstMb = 0;
  let rows = 0;
  const report = await importPostgres({
    url,
    schema,
    out: { systemPath: join(folder, "system.db"), tenantsFolder: join(folder, "tenants") },
    onProgress: ({ phase, item, done }) => {
      if (phase === "verify" && read === 0) {
        read = performance.now() - began;
        readCpu = cpuSeconds() - cpuBefore;
      }
      if (item === "nodes") rows = done;
      if (rows >= 50_000 && firstMb === 0) firstMb = peakMb();
    },
  });
  if (!report.ok) throw new Error(report.advice.join("\n"));
  const seconds = (performance.now() - began) / 1_000;
  return {
    ...{ rows: report.rows.read, seconds, read: read / 1_000 },
    ...{ cpu: cpuSeconds() - cpuBefore, readCpu, peakMb: peakMb(), firstMb },
  };
}

/** The least that moving rows costs: the text of COPY, split, into tables without anything. */
async function floor(folder: string): Promise<Part> {
  const began = performance.now();
  const cpuBefore = cpuSeconds();
  const db = new Database(join(folder, "floor.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = NORMAL");
  let rows = 0;
  let firstMb = 0;
  await onPostgres(async (client) => {
    const tables = await client.query<{ tablename: string }>(
      "SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1",
      [schema],
    );
    for (const { tablename } of tables.rows) {
      const columns = await client.query(`SELECT * FROM ${schema}.${tablename} LIMIT 0`);
      const names = columns.fields.map(({ name }) => `"${name}"`);
      db.exec(`CREATE TABLE ${tablename} (${names.join(", ")})`);
      const insert = db.prepare(
        `INSERT INTO ${tablename} VALUES (${names.map(() => "?").join(", ")})`,
      );
      const stream = client.query(copyTo(`COPY ${schema}.${tablename} TO STDOUT`));
      const decoder = new TextDecoder();
      let rest = "";
      for await (const chunk of stream) {
        const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        db.transaction(() => {
          for (const line of lines) insert.run(line.split("\t"));
        })();
        rows += lines.length;
        if (rows >= 50_000 && firstMb === 0) firstMb = peakMb();
      }
    }
  });
  db.close();
  const seconds = (performance.now() - began) / 1_000;
  const cpu = cpuSeconds() - cpuBefore;
  return { rows, seconds, read: seconds, cpu, readCpu: cpu, peakMb: peakMb(), firstMb };
}

/** Runs a part in a process of its own, for its memory. */
async function apart(part: string): Promise<Part> {
  const child = fork(fileURLToPath(import.meta.url), ["--part", part, "--schema", schema], {
    execArgv: process.execArgv,
  });
  return new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as Part));
    child.once("exit", (code) => reject(new Error(`${part} ended with ${code}`)));
  });
}

const median = (samples: readonly number[]): number =>
  samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] as number;

if (values.part !== undefined) {
  const folder = mkdtempSync(join(tmpdir(), "bench-transfer-"));
  try {
    process.send?.(await (values.part === "floor" ? floor(folder) : imported(folder)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.disconnect?.();
} else {
  await onPostgres((client) => client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`));
  const seeded = await seedPostgresHub({ url, schema, rows: Number(values.rows) });
  try {
    const parts: Record<string, Part[]> = { floor: [], import: [] };
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const part of ["floor", "import"]) parts[part]?.push(await apart(part));
    }
    const of = (part: string, pick: (one: Part) => number): number =>
      median((parts[part] ?? []).map(pick));
    const rows = of("import", (one) => one.rows);
    const perSecond = (seconds: number): string => Math.round(rows / seconds).toLocaleString("en");
    const floorSeconds = of("floor", (one) => one.seconds);
    const line = (name: string, seconds: number, cpu: number, memory: string): void =>
      console.log(
        `| ${name} | ${seconds.toFixed(1)} | ${perSecond(seconds)} | ${(floorSeconds / seconds).toFixed(2)} | ${cpu.toFixed(1)} | ${memory} |`,
      );
    const cpu = (part: string): number => of(part, (one) => one.cpu);
    const memory = (part: string): string =>
      `${of(part, (one) => one.peakMb)} MB, ${of(part, (one) => one.firstMb)} MB at 50,000 nodes`;
    const { organizations } = seeded.scale;
    console.log(`${rows.toLocaleString("en")} rows, ${organizations} organizations\n`);
    console.log("| | seconds | rows/s | of the floor | CPU seconds | peak memory |");
    console.log("| --- | --- | --- | --- | --- | --- |");
    const [written, verified] = ["import, until all is written", "import, verified on both sides"];
    line("COPY into bare SQLite", floorSeconds, cpu("floor"), memory("floor"));
    const [read, readCpu] = [(one: Part) => one.read, (one: Part) => one.readCpu];
    line(written, of("import", read), of("import", readCpu), "");
    line(
      verified,
      of("import", (one) => one.seconds),
      cpu("import"),
      memory("import"),
    );
  } finally {
    await onPostgres((client) => client.query(`DROP SCHEMA ${schema} CASCADE`));
  }
}
