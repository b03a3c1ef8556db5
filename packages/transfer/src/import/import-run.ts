import type { Database } from "@alkdev/honker";
import type { SystemDatabase, TenantHandle, TenantManager } from "@alkdev/storage/sqlite";
import type { Position } from "../postgres/table-query.ts";
import type { TransferOptions } from "../progress.ts";
import { RowSum } from "../row-sum.ts";
import type { ImportReport } from "./import-report.ts";
import {
  type ImportIdentity,
  type ImportState,
  readState,
  rowsStream,
  type StepState,
  stateStream,
} from "./import-state.ts";
import type { RowReport } from "./row-refusal.ts";
import type { TargetRow } from "./table-import.ts";
import type { JsonNotes } from "./values.ts";

/** What became of the rows of a batch. */
export interface BatchResult {
  /** The step they are counted for. */
  readonly step: string;
  readonly taken: number;
  readonly rejected: number;
  readonly reports: readonly RowReport[];
}

interface Step {
  readonly read: RowSum;
  taken: number;
  rejected: number;
  changed: number;
}

/**
 * The state of a running import, and the files it writes. Every change is one commit together with the
 * state; a run whose commit failed is over, and the next one begins with what is committed.
 */
export class ImportRun {
  readonly system: SystemDatabase;
  readonly tenants: TenantManager;
  readonly notes: JsonNotes;
  readonly organizations: Set<string> = new Set();
  readonly #base: Pick<ImportState, "version" | "identity" | "startedAt">;
  readonly #steps = new Map<string, Step>();
  readonly #written = new Map<string, RowSum>();
  #sequence: number;
  #snapshots: number;
  #step: string;
  #org = "";
  #after: Position | null;
  #report: ImportReport | null;
  #tenant: TenantHandle | undefined;
  #tenantIds: Set<string> | undefined;

  constructor(system: SystemDatabase, tenants: TenantManager, identity: ImportIdentity) {
    this.system = system;
    this.tenants = tenants;
    const state = newestState(system.$client, tenants);
    this.#base = {
      version: 1,
      identity: state?.identity ?? identity,
      startedAt: state?.startedAt ?? new Date().toISOString(),
    };
    this.#sequence = state?.sequence ?? 0;
    this.#snapshots = (state?.snapshots ?? 0) + (state?.step === DONE ? 0 : 1);
    this.#step = state?.step ?? "";
    this.#after = state?.after ?? null;
    this.#report = state?.report ?? null;
    this.notes = state?.notes ?? { impreciseNumbers: 0, nullCharacters: 0 };
    for (const [name, step] of Object.entries(state?.steps ?? {})) {
      this.#steps.set(name, { ...step, read: new RowSum(step.read) });
    }
    for (const [target, sum] of Object.entries(state?.written ?? {})) {
      this.#written.set(target, new RowSum(sum));
    }
  }

  get identity(): ImportIdentity {
    return this.#base.identity;
  }

  get startedAt(): string {
    return this.#base.startedAt;
  }

  get snapshots(): number {
    return this.#snapshots;
  }

  /** Whether anything is committed. */
  get begun(): boolean {
    return this.#sequence > 0;
  }

  /** Whether all rows are written. */
  get done(): boolean {
    return this.#step === DONE;
  }

  /** The report of an import that has ended. */
  get report(): ImportReport | null {
    return this.#report;
  }

  /** The last row of a step that is done; null when it has not begun. */
  position(step: string): Position | null {
    return this.#step === step ? this.#after : null;
  }

  /** What became of the rows of a step. */
  step(name: string): StepState {
    const step = this.#stepOf(name);
    return { ...step, read: step.read.state() };
  }

  /** Count and checksum of what was written into a table. */
  written(target: string): { readonly rows: number; readonly sum: string } {
    return (this.#written.get(target) ?? new RowSum()).state();
  }

  /** Goes through the steps from the one it is in. */
  async runSteps(
    steps: readonly { readonly name: string; readonly run: () => Promise<void> }[],
  ): Promise<void> {
    if (this.done) return;
    const names = steps.map(({ name }) => name);
    const from = this.#step === "" ? 0 : names.indexOf(this.#step);
    for (let i = from; i < steps.length; i++) {
      this.enter(names[i] as string);
      await steps[i]?.run();
      this.closeTenant();
    }
    this.enter(DONE);
  }

  /** Begins a step, or goes on with it. */
  enter(step: string): void {
    if (this.#step === step) return;
    this.#org = "";
    this.#commit(this.system.$client, () => {
      this.#step = step;
      this.#after = null;
    });
  }

  /** The open file of an organization; system.db knows of it before anything is written there. */
  tenant(org: string): TenantHandle {
    if (this.#tenant?.orgId === org) return this.#tenant;
    this.closeTenant();
    this.#org = org;
    this.#commit(this.system.$client, () => {});
    this.#tenant = this.tenants.open(org);
    return this.#tenant;
  }

  closeTenant(): void {
    this.#tenant?.close();
    this.#tenant = undefined;
  }

  /** Whether an organization has a file. */
  hasTenant(org: string): boolean {
    this.#tenantIds ??= new Set(this.tenants.list().map(({ orgId }) => orgId));
    return this.#tenantIds.has(org);
  }

  /** Commits a batch: what `work` writes, what it reports, and how far the import is then. */
  batch(client: Database, after: Position, work: () => readonly BatchResult[]): void {
    if (client === this.system.$client) this.#org = "";
    this.#commit(client, () => {
      for (const { step: name, taken, rejected, reports } of work()) {
        const step = this.#stepOf(name);
        step.taken += taken;
        step.rejected += rejected;
        for (const report of reports) if (report.taken) step.changed += 1;
        if (reports.length > 0) rowsStream(client).publishMany(reports);
      }
      this.#after = after;
    });
  }

  /** Counts a row of a step as read; inside the work of a batch. */
  countRead(step: string, row: readonly unknown[]): void {
    this.#stepOf(step).read.add(row);
  }

  /** Counts a row as written; inside the work of a batch. */
  countWritten({ target, values }: TargetRow, as: string = target): void {
    let sum = this.#written.get(as);
    if (sum === undefined) {
      sum = new RowSum();
      this.#written.set(as, sum);
    }
    sum.add(values);
  }

  /** Keeps the report of the verified import. */
  finish(report: ImportReport): void {
    this.#org = "";
    this.#commit(this.system.$client, () => {
      this.#report = report;
    });
  }

  #stepOf(name: string): Step {
    let step = this.#steps.get(name);
    if (step === undefined) {
      step = { read: new RowSum(), taken: 0, rejected: 0, changed: 0 };
      this.#steps.set(name, step);
    }
    return step;
  }

  #commit(client: Database, work: () => void): void {
    client.transaction((tx) => {
      work();
      this.#sequence += 1;
      stateStream(client).publishTx(tx, this.#state());
    });
  }

  #state(): ImportState {
    return {
      ...this.#base,
      sequence: this.#sequence,
      snapshots: this.#snapshots,
      step: this.#step,
      org: this.#org,
      after: this.#after,
      steps: Object.fromEntries([...this.#steps.keys()].map((name) => [name, this.step(name)])),
      written: Object.fromEntries([...this.#written].map(([name, sum]) => [name, sum.state()])),
      notes: { ...this.notes },
      report: this.#report,
    };
  }
}

/** What every part of an import is given. */
export interface RunOptions extends TransferOptions {
  readonly batchSize: number;
}

const DONE = "done";

/** The state that was committed last, in whichever file that was. */
function newestState(system: Database, tenants: TenantManager): ImportState | null {
  const state = readState(system);
  if (state === null || state.org === "" || tenants.get(state.org) === null) return state;
  const there = tenants.withTenant(state.org, (db) => readState(db.$client));
  return there !== null && there.sequence > state.sequence ? there : state;
}
