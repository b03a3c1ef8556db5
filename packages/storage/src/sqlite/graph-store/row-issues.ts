import { StorageError, type StorageErrorCode } from "../../errors.ts";

/** One thing that is wrong with one row of a call. */
export interface RowIssue {
  /** Which row: `node "task-1"`. */
  readonly subject: string;
  /** Where in it, as a JSON pointer: `/attributes/title`. */
  readonly path: string;
  readonly message: string;
}

/** A call of a million wrong rows would list millions. */
const MOST_ISSUES = 1_000;
const IN_MESSAGE = 5;

/** Collects what is wrong with the rows of a call, so that one error tells all of it. */
export class RowIssues {
  readonly #issues: RowIssue[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(subject: string, path: string, message: string): void {
    this.#count += 1;
    if (this.#issues.length < MOST_ISSUES) this.#issues.push({ subject, path, message });
  }

  /** @throws StorageError `code` with all issues, where there is any */
  throwIfAny(code: StorageErrorCode, graphId: string): void {
    if (this.#count === 0) return;
    const listed = this.#issues
      .slice(0, IN_MESSAGE)
      .map(({ subject, path, message }) => `${subject}${path && ` ${path}`}: ${message}`);
    const more = this.#count - listed.length;
    throw new StorageError(
      code,
      `nothing was written to graph "${graphId}": ${listed.join("; ")}${more > 0 ? `; and ${more} more` : ""}`,
      { details: { graphId, issues: this.#issues, count: this.#count } },
    );
  }
}
