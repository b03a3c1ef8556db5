/** Every `code` a {@link StorageError} can carry. Branch on the code, never on the message. */
export type StorageErrorCode =
  /** The file belongs to another kind of database: a tenant file opened as the system file, or the reverse. */
  | "WRONG_DATABASE_KIND"
  /** The file was written by a newer version of this package. */
  | "UNKNOWN_SCHEMA"
  /** The file is of a version that this program does not serve before it is migrated. */
  | "SCHEMA_OUTDATED"
  /** A schema migration failed; the file is as it was before. */
  | "MIGRATION_FAILED"
  /** An argument or option is missing or out of its range. */
  | "INVALID_ARGUMENT"
  /** A payload does not fit the schema of its catalog entry. */
  | "INVALID_PAYLOAD"
  /** An event, stream or queue is not in the catalog. */
  | "UNKNOWN_EVENT"
  /** A graph Module breaks a rule of naming or content; `details.problems` lists every one. */
  | "INVALID_MODULE"
  /** A Module has no entry of that name, or it is not of the kind that was asked for. */
  | "UNKNOWN_ENTRY"
  /** A JSON Schema is malformed, or uses a keyword that would not be enforced. */
  | "INVALID_SCHEMA"
  /** Attributes do not fit the schema of their node or edge type; `details.issues` lists every one. */
  | "INVALID_ATTRIBUTES"
  /** An encryption key is missing, too short, or of no use as a key. */
  | "INVALID_KEY"
  /** The key ring holds no key of that version. */
  | "UNKNOWN_KEY_VERSION"
  /** A key cannot leave the ring: it is the current one, or values still need it. */
  | "KEY_IN_USE"
  /** Encrypted data is malformed: a field is missing or is not base64 of the right length. */
  | "INVALID_ENCRYPTED_DATA"
  /** The key is wrong or the encrypted data was changed. */
  | "DECRYPTION_FAILED"
  /** A schema change needs a higher version, or a migration that was not given. */
  | "BREAKING_CHANGE"
  /** A version step that the stored version does not allow. */
  | "MIGRATION_STATE"
  /** There is no graph, node, edge, graph type, account, key or tenant of that name or id. */
  | "NOT_FOUND"
  /** A name, key or id is taken. */
  | "ALREADY_EXISTS"
  /** A value names a row that is not there. */
  | "REFERENCE_NOT_FOUND"
  /** A row cannot go while others name it. */
  | "IN_USE"
  /** The row was changed by someone else since it was read; read it again. */
  | "CONFLICT"
  /** An edge may not join these nodes: a missing end, a node type it is not for, a loop, a second edge. */
  | "EDGE_NOT_ALLOWED"
  /** A graph is archived, or a graph type belongs to the system: it can be read only. */
  | "READ_ONLY"
  /** A delegation would go in a circle. */
  | "DELEGATION_CYCLE"
  /** A delegation that would give more than its source holds, or that may not be passed on. */
  | "DELEGATION_NOT_ALLOWED"
  /** An account is suspended or deactivated. */
  | "ACCOUNT_STATE"
  /** An API key or credential is revoked, expired, disabled or was rotated. */
  | "CREDENTIAL_STATE"
  /** An operation that the state of the tenant does not allow: it is suspended, archived or being deleted. */
  | "TENANT_STATE"
  /** The file of a tenant is missing, damaged, or belongs to another organisation. */
  | "TENANT_FILE"
  /** The tenant is in use, or another operation on it is running: try again later. */
  | "TENANT_BUSY"
  /** The tenant belongs to another hub now; `details.owner` names it. */
  | "TENANT_ELSEWHERE"
  /** A call that must commit by itself was made inside a transaction. */
  | "TRANSACTION_STATE"
  /** A quota of the tenant is used up. */
  | "QUOTA_EXCEEDED"
  /** A search was given up at the limit that it was given. */
  | "LIMIT_REACHED"
  /** Events waited for a file that could not be written, and were too many to be kept. */
  | "EVENTS_LOST"
  /** The object was closed. */
  | "CLOSED";

/** What a {@link StorageError} carries besides its message. */
export interface StorageErrorOptions extends ErrorOptions {
  /** What an operator can do about it, one sentence. */
  readonly hint?: string;
  /** The values the message speaks of, for logs and for code. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Base of every error this package throws. */
export class StorageError extends Error {
  override readonly name: string = "StorageError";
  readonly code: StorageErrorCode;
  /** What to do about it, for a person. */
  readonly hint: string | undefined;
  /** The values the message speaks of. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: StorageErrorCode, message: string, options: StorageErrorOptions = {}) {
    super(
      options.hint === undefined ? message : `${message}. ${options.hint}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}
