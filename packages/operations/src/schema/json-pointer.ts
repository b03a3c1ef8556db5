const POINTER = /^(\/([^~/]|~[01])+)+$/;

/** Whether a text is a JSON pointer (RFC 6901) below the root, without empty steps. */
export function isJsonPointer(text: unknown): text is string {
  return typeof text === "string" && POINTER.test(text);
}

/** The pointer one step below another. */
export function pointerTo(path: string, step: string | number): string {
  return `${path}/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** The steps of a JSON pointer. */
export function stepsOf(pointer: string): readonly string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** What a JSON pointer leads to, through own properties only; `undefined` where it leads nowhere. */
export function valueAt(value: unknown, pointer: string): unknown {
  let current = value;
  for (const key of stepsOf(pointer)) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) {
      return undefined;
    }
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}
