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
  const terminal = createInterface({ input: stdin, output: stderr });
  try {
    const typed = await terminal.question(`${what}.\nType "${word}" to go on: `, { signal });
    if (typed.trim() === word) return;
  } finally {
    terminal.close();
  }
  throw new HubError("REFUSED", `not confirmed, so nothing was done: ${what}`);
}
