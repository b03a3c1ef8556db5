/** Why a row is not taken, or was changed to be. */
export type RowCode =
  /** A constraint of the target refused it; the message names it. */
  | "CONSTRAINT"
  /** It names a row that is not there, or that was not taken either. */
  | "REFERENCE_NOT_FOUND"
  /** No organization owns it. */
  | "NO_ORGANIZATION"
  /** The id of its organization cannot be the name of a file. */
  | "ORGANIZATION_ID"
  /** A moment that is infinite, or beyond what a JavaScript Date holds. */
  | "TIME_OUT_OF_RANGE"
  /** A number in JSON that JavaScript would read as infinite. */
  | "NUMBER_OUT_OF_RANGE"
  /** JSON nested deeper than SQLite reads: 1,000 levels. */
  | "JSON_TOO_DEEP"
  /** A column that may not be empty is. */
  | "MISSING_VALUE"
  /** Changed: an email that another account has, in whatever case, got a suffix. */
  | "EMAIL_TAKEN"
  /** Changed: surrounding blanks of an email were removed. */
  | "EMAIL_TRIMMED"
  /** Changed: a slug was brought to `a-z`, `0-9` and `-`, or got a suffix because another has it. */
  | "SLUG_CHANGED"
  /** Changed: a name that another has got a suffix. */
  | "NAME_TAKEN"
  /** Changed: a member was made the owner, or no longer is one, as `owner_id` says. */
  | "MEMBERSHIP_LEVEL"
  /** Changed: an organization without a membership of its owner got one. */
  | "OWNER_ADDED"
  /** Changed: a reference to a row that is not there became null. */
  | "REFERENCE_REMOVED"
  /** Changed: an expiry at infinity became none. */
  | "NEVER_EXPIRES"
  /** Changed: version 1 of a graph type became 2, the first stable one here. */
  | "VERSION"
  /** Matched: a graph type of the system, or a type in it, that every file has already. */
  | "SYSTEM_TYPE"
  /** Changed: a graph type of scope system that this installation does not have belongs to the tenant. */
  | "SCOPE"
  /** Changed: metadata that was no object became one, under `value`. */
  | "METADATA_WRAPPED";

/** Thrown by what maps a row, to have it reported and not taken. */
export class RowRefusal extends Error {
  override readonly name: string = "RowRefusal";
  readonly code: RowCode;

  constructor(code: RowCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** One line of the report of rows: a row that was not taken, or one that was taken with a change. */
export interface RowReport {
  readonly table: string;
  readonly id: string | null;
  /** The organization it belongs to; null for none. */
  readonly org: string | null;
  readonly taken: boolean;
  readonly code: RowCode;
  readonly message: string;
  /** The row as it was read, when it was not taken. */
  readonly row?: Readonly<Record<string, string | null>>;
}
