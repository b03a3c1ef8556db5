const POINTER = /^(\/([^~/]|~[01])+)+$/;

/** Whether a text is a JSON pointer (RFC 6901) below the root, without empty steps. */
export function isJsonPointer(text: unknown): text is string {
  return typeof text === "string" && POINTER.test(text);
}

/** What a JSON pointer leads to, through own properties only; `undefined` where it leads nowhere. */
export function valueAt(value: unknown, pointer: string): unknown {
  let current = value;
  for (const step of pointer.split("/").slice(1)) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) {
      return undefined;
    }
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}
