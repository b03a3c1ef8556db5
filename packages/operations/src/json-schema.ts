export { jsonSchema } from "./json-schema/json-schema.ts";
export { specFromJson } from "./json-schema/spec-from-json.ts";
