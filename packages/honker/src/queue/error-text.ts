/** Longest error text kept with a job, in characters. */
const LONGEST = 8_192;

/** Text of an error for a dead letter or a history entry. */
export function errorText(error: unknown): string {
  return describe(error).slice(0, LONGEST);
}

function describe(error: unknown): string {
  if (error instanceof Error) {
    const { name, message } = error;
    return name === "Error" || message.startsWith(name) ? message || name : `${name}: ${message}`;
  }
  if (typeof error === "string") return error;
  try {
    return JSON.stringify(error) ?? String(error);
  } catch {
    return String(error);
  }
}
