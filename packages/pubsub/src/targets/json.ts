import { PubSubError } from "../errors.ts";

/**
 * Text of what an event carries. Only what JSON gives back unchanged is accepted; a `toJSON` method
 * (Date, URL) decides for its value, and properties that are `undefined` are left out.
 *
 * @throws {@link PubSubError} `INVALID_PAYLOAD`: bigint, cycle, NaN, a function, a Map, a typed array
 */
export function encodeJson(value: unknown, topic: string): string {
  let text: string;
  try {
    text = JSON.stringify(value ?? null);
  } catch (cause) {
    throw refusal(topic, "it has a cycle or holds a bigint", cause);
  }
  // only now is it certain that there is no cycle to walk in
  const loss = findLoss(value);
  if (loss !== undefined) throw refusal(topic, `${loss.path || "it"} is ${loss.kind}`);
  return text;
}

/** A value JSON would change, and where it is. */
interface Loss {
  readonly path: string;
  readonly kind: string;
}

function findLoss(value: unknown): Loss | undefined {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? undefined : { path: "", kind: String(value) };
    case "function":
    case "symbol":
      return { path: "", kind: `a ${typeof value}` };
    case "object":
      return value === null ? undefined : findLossIn(value);
    default:
      return undefined;
  }
}

function findLossIn(value: object): Loss | undefined {
  if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value)) {
    return { path: "", kind: `a ${value.constructor.name}` };
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return undefined;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const loss = value[i] === undefined ? { path: "", kind: "undefined" } : findLoss(value[i]);
      if (loss !== undefined) return { path: `[${i}]${loss.path}`, kind: loss.kind };
    }
    return undefined;
  }
  for (const [key, member] of Object.entries(value)) {
    const loss = findLoss(member);
    if (loss !== undefined) return { path: `.${key}${loss.path}`, kind: loss.kind };
  }
  return undefined;
}

function refusal(topic: string, problem: string, cause?: unknown): PubSubError {
  return new PubSubError("INVALID_PAYLOAD", `an event on "${topic}" is not JSON: ${problem}`, {
    cause,
    hint: "Convert it first: String(bigint), null, Object.fromEntries(map), buffer.toString('base64')",
    details: { topic },
  });
}
