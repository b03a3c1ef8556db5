import { StorageError } from "../../errors.ts";
import { GRAPH_STATUSES } from "../tables/metagraph/graphs.ts";
import { checkMetadata, kindOf } from "./check-row.ts";
import { isPlain } from "./json-value.ts";

/** What may be true of each field of a graph. */
const FIELDS: Readonly<Record<string, (value: unknown) => string | null>> = {
  id: textProblem,
  type: textProblem,
  name: textProblem,
  description: (value) => (typeof value === "string" ? null : `is ${kindOf(value)}, not a text`),
  status: (value) =>
    GRAPH_STATUSES.some((status) => status === value)
      ? null
      : `is ${typeof value === "string" ? `"${value}"` : kindOf(value)}, not one of ${GRAPH_STATUSES.join(", ")}`,
  ownerId: (value) => (value === null ? null : textProblem(value)),
  projectId: (value) => (value === null ? null : textProblem(value)),
  metadata: (value) => {
    let problem: string | null = null;
    checkMetadata(value, (path, message) => {
      problem ??= `${path.replace("/metadata", "")} ${message}`.trim();
    });
    return problem;
  },
};

/** Checks the fields of a graph. @throws StorageError `INVALID_ARGUMENT` */
export function checkGraphFields(
  fields: object,
  required: readonly string[] = ["type", "name"],
): void {
  if (!isPlain(fields)) throw refused(`the graph is ${kindOf(fields)}, not an object`);
  for (const name of required) {
    if (fields[name] === undefined) throw refused(`the graph's ${name} is missing`);
  }
  for (const [name, value] of Object.entries(fields)) {
    const check = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (check === undefined) throw refused(`a graph has no ${name}`);
    const problem = value === undefined ? null : check(value);
    if (problem !== null) throw refused(`the graph's ${name} ${problem}`);
  }
}

function textProblem(value: unknown): string | null {
  if (typeof value !== "string") return `is ${kindOf(value)}, not a text`;
  if (value === "") return "is empty";
  return value.includes("\0") || !value.isWellFormed()
    ? "holds a NUL or half a surrogate pair"
    : null;
}

function refused(problem: string): StorageError {
  return new StorageError("INVALID_ARGUMENT", problem);
}
