/** One way in which a value does not fit its schema. It never holds the value itself. */
export interface ValidationIssue {
  /** Where, as a JSON pointer (RFC 6901): `/tags/0`; empty for the value as a whole. */
  readonly path: string;
  readonly message: string;
}

/** Checks values against one schema. */
export interface Validator {
  /** True where the value fits. It is never changed. */
  check(value: unknown): boolean;
  /** Everything that does not fit, by path; empty where {@link check} is true. The first 100. */
  issues(value: unknown): readonly ValidationIssue[];
}

/** An array of thousands of wrong items would list thousands of issues. */
export const MOST_ISSUES = 100;
