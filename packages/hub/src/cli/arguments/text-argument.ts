import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import { HubError } from "../../errors.ts";

/**
 * The text that an argument stands for: `-` is what stdin holds, `@file` what the file holds, anything
 * else itself.
 *
 * @throws HubError `NOT_FOUND` for a file that cannot be read
 */
export async function textArgument(argument: string, stdin: Readable): Promise<string> {
  if (argument === "-") return await textOf(stdin);
  if (!argument.startsWith("@")) return argument;
  const path = argument.slice(1);
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new HubError("NOT_FOUND", `cannot read "${path}": ${code}`, { cause: error });
  }
}

/** JSON of a {@link textArgument}; `undefined` where none is given. @throws HubError `INVALID_ARGUMENT` */
export async function jsonArgument(
  argument: string | undefined,
  stdin: Readable,
): Promise<unknown> {
  if (argument === undefined) return undefined;
  const text = await textArgument(argument, stdin);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const from = argument === "-" ? "stdin" : argument.startsWith("@") ? argument.slice(1) : "it";
    throw new HubError("INVALID_ARGUMENT", `${from} is no JSON: ${(error as Error).message}`, {
      cause: error,
      hint: "Give JSON, - for stdin, or @file",
    });
  }
}
