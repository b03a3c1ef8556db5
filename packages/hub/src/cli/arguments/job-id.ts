import { HubError } from "../../errors.ts";

/** The id of a job. @throws HubError `INVALID_ARGUMENT` */
export function jobId(text: string): number {
  const id = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(id) && id >= 1) return id;
  throw new HubError(
    "INVALID_ARGUMENT",
    `"${text}" is no id of a job: it is a whole number from 1`,
  );
}
