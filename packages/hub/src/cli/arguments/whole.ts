import { InvalidArgumentError } from "commander";

/** A whole number from 0. @throws InvalidArgumentError */
export function whole(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It must be a whole number from 0.");
}

/** A whole number from 1. @throws InvalidArgumentError */
export function positive(text: string): number {
  const value = whole(text);
  if (value >= 1) return value;
  throw new InvalidArgumentError("It must be a whole number from 1.");
}

/** A whole number, also below 0. @throws InvalidArgumentError */
export function integer(text: string): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It must be a whole number.");
}

const BYTES: Readonly<Record<string, number>> = {
  "": 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 1_024,
  MIB: 1_048_576,
  GIB: 1_073_741_824,
};

/** Bytes of `5000000`, `5MB` or `2GiB`. @throws InvalidArgumentError */
export function bytes(text: string): number {
  const [, digits, unit = ""] = /^(\d{1,12})\s*([kmg]i?b)?$/i.exec(text) ?? [];
  const value = Number(digits) * (BYTES[unit.toUpperCase()] ?? Number.NaN);
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("A size is a number of bytes, or like 500KB, 50MB, 2GiB.");
}

/** For an option that can be given several times. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}
