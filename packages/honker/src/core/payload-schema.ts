import { HonkerError } from "../errors.ts";
import type {
  StandardSchemaIssue,
  StandardSchemaResult,
  StandardSchemaV1,
} from "./standard-schema.ts";

/** Issues named in a message; the rest are counted. */
const MOST_ISSUES = 5;

/**
 * Checks a payload at once.
 *
 * @param what names the payload in errors
 * @throws `INVALID_ARGUMENT` for a schema that answers with a promise
 */
export function checkPayload<T>(
  schema: StandardSchemaV1<unknown, T>,
  payload: unknown,
  what: string,
): StandardSchemaResult<T> {
  const result = schema["~standard"].validate(payload);
  if (!(result instanceof Promise)) return result;
  // nobody is left to hear of its rejection
  result.catch(() => undefined);
  throw new HonkerError(
    "INVALID_ARGUMENT",
    `the schema of ${what} answers asynchronously, which a transaction cannot wait for`,
    { hint: "Use a schema without async checks; do those in the handler" },
  );
}

/** `does not fit its schema: items.0.id: expected a string; and 3 more`. */
export function issuesText(issues: readonly StandardSchemaIssue[]): string {
  const texts = issues.slice(0, MOST_ISSUES).map(({ message, path = [] }) => {
    const keys = path.map((part) => String(typeof part === "object" ? part.key : part));
    return keys.length === 0 ? message : `${keys.join(".")}: ${message}`;
  });
  const more = issues.length - texts.length;
  return `does not fit its schema: ${texts.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}
