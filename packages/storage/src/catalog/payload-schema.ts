import type { Static, TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";

/** One way in which a payload does not fit its schema. */
export interface PayloadIssue {
  readonly message: string;
  /** Property names and array indexes from the payload down to the value. */
  readonly path: readonly string[];
}

/** A TypeBox schema as Standard Schema version 1 (https://standardschema.dev), for queues and streams. */
export interface PayloadSchema<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: "typebox";
    readonly validate: (
      value: unknown,
    ) =>
      | { readonly value: T; readonly issues?: undefined }
      | { readonly issues: readonly PayloadIssue[] };
    readonly types?: { readonly input: T; readonly output: T } | undefined;
  };
}

/** The most issues that are listed; a wrong array of thousands would list thousands. */
const MOST_ISSUES = 20;

/**
 * A TypeBox schema as a validator for `db.queue(name, { schema })` and `db.stream(name, { schema })`.
 * It is compiled once, at the first check, and never changes the value.
 */
export function payloadSchema<Schema extends TSchema>(
  schema: Schema,
): PayloadSchema<Static<Schema>> {
  type T = Static<Schema>;
  let check: ReturnType<typeof TypeCompiler.Compile<Schema>> | undefined;
  return {
    "~standard": {
      version: 1,
      vendor: "typebox",
      validate: (value) => {
        check ??= TypeCompiler.Compile(schema);
        if (check.Check(value)) return { value: value as T };
        const issues: PayloadIssue[] = [];
        for (const { message, path } of check.Errors(value)) {
          issues.push({ message, path: path.split("/").slice(1) });
          if (issues.length === MOST_ISSUES) break;
        }
        return { issues };
      },
    },
  };
}
