import { type TString, type TUnsafe, Type } from "@sinclair/typebox";
import { jsonObjectSchema } from "../schema-utils/json-schemas.ts";
import type { JsonObject } from "./common.ts";

/** Columns that hold a JSON object. */
export const jsonObject = (): TUnsafe<JsonObject> => jsonObjectSchema<JsonObject>();

/** Columns that may not be empty. */
export const nonEmptyText = (): TString => Type.String({ minLength: 1 });

/** Columns that hold an array of names. */
export const names = (): TUnsafe<readonly string[]> =>
  Type.Unsafe<readonly string[]>(Type.Array(Type.String()));
