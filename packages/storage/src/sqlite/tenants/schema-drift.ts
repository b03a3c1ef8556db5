import { type Database, open } from "@alkdev/honker";
import type { TenantSchema } from "./tenant-schema.ts";
import type { TenantVersion } from "./tenant-version.ts";

/** How the schema of a file differs from the one its migrations make. Names are as `"table nodes"`. */
export interface SchemaDrift {
  /** The version that the file says it has. */
  readonly version: TenantVersion;
  /** What is not there. */
  readonly missing: readonly string[];
  /** What no migration made. */
  readonly added: readonly string[];
  /** What is made otherwise, with both SQL texts. */
  readonly changed: readonly {
    readonly name: string;
    readonly expected: string;
    readonly found: string;
  }[];
}

type SchemaObjects = ReadonlyMap<string, string>;

const OBJECTS = `SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_schema
  WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND tbl_name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
  ORDER BY type, name`;
/** Made in a file while it is used: quotas, guards of a running migration, indexes of attributes. */
const MADE_AT_RUN_TIME = /^\w+ (_alk_quota|_alk_migrating_|alk_attribute_|alk_call_duration)/;

/** Compares files of tenants with references in memory, one for each version. */
export class DriftDetector {
  readonly #schema: TenantSchema;
  readonly #references = new Map<string, SchemaObjects>();
  /** Names of what every file has that the engine opened: its own affair. */
  #engine: ReadonlySet<string> | undefined;

  constructor(schema: TenantSchema) {
    this.#schema = schema;
  }

  /**
   * How the schema of `client` differs; `null` when it does not.
   *
   * @throws `StorageError` `UNKNOWN_SCHEMA`
   */
  compare(client: Database): SchemaDrift | null {
    const version = this.#schema.requireKnown(client);
    const reference = this.#reference(version);
    const found = this.#objectsOf(client);
    const missing = [...reference.keys()].filter((name) => !found.has(name));
    const added = [...found.keys()].filter((name) => !reference.has(name));
    const changed = [...reference].flatMap(([name, expected]) => {
      const sql = found.get(name);
      return sql === undefined || sql === expected ? [] : [{ name, expected, found: sql }];
    });
    const isSame = missing.length + added.length + changed.length === 0;
    return isSame ? null : { version, missing, added, changed };
  }

  #reference(version: TenantVersion): SchemaObjects {
    const key = `${version.schema} ${version.app}`;
    const known = this.#references.get(key);
    if (known !== undefined) return known;
    using client = open(":memory:");
    this.#engine ??= new Set(readObjects(client).keys());
    this.#schema.bring(client, version);
    const objects = this.#objectsOf(client);
    this.#references.set(key, objects);
    return objects;
  }

  #objectsOf(client: Database): SchemaObjects {
    const objects = [...readObjects(client)];
    return new Map(
      objects.filter(([name]) => !this.#engine?.has(name) && !MADE_AT_RUN_TIME.test(name)),
    );
  }
}

function readObjects(client: Database): SchemaObjects {
  const rows = client.rows(OBJECTS);
  return new Map(rows.map(([name, sql]) => [String(name), normalized(String(sql))]));
}

/** White space between tokens says nothing; what is quoted is kept as it is. */
function normalized(sql: string): string {
  return sql
    .replace(
      /('(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`)|\s+/g,
      (_, text?: string) => text ?? " ",
    )
    .trim();
}
