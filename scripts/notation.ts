import type { TSchema } from "@sinclair/typebox";

/** A schema in the notation of TypeScript types, short enough for a table cell. */
export function notation(schema: TSchema): string {
  if (schema.anyOf) return schema.anyOf.map(notation).join(" \\| ");
  if ("const" in schema) return JSON.stringify(schema.const);
  switch (schema.type) {
    case "object": {
      if (schema.patternProperties) {
        const [value] = Object.values(schema.patternProperties as Record<string, TSchema>);
        return `Record<string, ${value === undefined ? "unknown" : notation(value)}>`;
      }
      const required = new Set<string>(schema.required ?? []);
      const members = Object.entries((schema.properties ?? {}) as Record<string, TSchema>).map(
        ([name, member]) => `${name}${required.has(name) ? "" : "?"}: ${notation(member)}`,
      );
      return members.length === 0 ? "{}" : `{ ${members.join("; ")} }`;
    }
    case "array": {
      const items = notation(schema.items);
      return items.includes("|") ? `(${items})[]` : `${items}[]`;
    }
    case "string":
    case "integer":
    case "number":
    case "boolean":
    case "null":
      return schema.type;
    default:
      return "unknown";
  }
}
