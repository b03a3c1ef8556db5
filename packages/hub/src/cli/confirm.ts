import { createInterface } from "node:readline/promises";
import { HubError } from "../errors.ts";
import type { Io } from "./io.ts";

/** What is asked. */
export interface Confirmation {
  /** What will happen: `tenant "acme" is deleted`. */
  readonly what: string;
  /** What has to be typed: the name of what goes. */
  readonly word: string;
}

/** How a person can answer. */
export interface ConfirmOptions {
  /** `--yes` was given. */
  readonly yes: boolean;
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly io: Io;
}

/**
 * Asks a person to type the name of what goes. Where nobody can be asked, it is refused.
 *
 * @throws HubError `REFUSED`
 */
export async function confirm(
  { what, word }: Confirmation,
  { yes, json, signal, io }: ConfirmOptions,
): Promise<void> {
  if (yes) return;
  const { stdin, stderr } = io;
  if (json || stdin.isTTY !== true || stderr.isTTY !== true) {
    throw new HubError("REFUSED", `not confirmed: ${what}`, {
      hint: "Give --yes if that is meant",
    });
  }
  const typed = await ask(`${what}.\nType "${word}" to go on: `, { stdin, stderr, signal });
  if (typed?.trim() === word) return;
  throw new HubError("REFUSED", `not confirmed, so nothing was done: ${what}`);
}

/** A line that somebody types; null at the end of the input. */
async function ask(
  question: string,
  { stdin, stderr, signal }: Pick<Io, "stdin" | "stderr"> & { readonly signal: AbortSignal },
): Promise<string | null> {
  const terminal = createInterface({ input: stdin, output: stderr });
  const ended = new AbortController();
  terminal.once("close", () => ended.abort());
  // the terminal is in raw mode: Ctrl-C is a character, and shall be what it is everywhere else
  terminal.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    return await terminal.question(question, { signal: AbortSignal.any([signal, ended.signal]) });
  } catch (error) {
    signal.throwIfAborted();
    if (ended.signal.aborted) return null;
    throw error;
  } finally {
    terminal.close();
  }
}
