import { httpEnvelope, type ResponseEnvelope } from "../envelope/response-envelope.ts";
import { CallError } from "../errors.ts";

/** Code of answers that are no success, in the operations made of an API. */
export const HTTP_ERROR = "HTTP_ERROR";

/** Characters of the body of a failure that are passed on. */
const MOST_OF_FAILURE = 10_000;

/**
 * The answer of an API as an envelope: JSON as it is, text as text, anything else as base64, nothing as `null`.
 *
 * @throws CallError `HTTP_ERROR` for a status that is no success, `EXECUTION_ERROR` for a body that is too long or
 * is no JSON
 */
export async function apiAnswer(
  response: Response,
  { operationId, maxBytes }: { readonly operationId: string; readonly maxBytes: number },
): Promise<ResponseEnvelope> {
  const bytes = await readBytes(response, maxBytes);
  const contentType = mediaType(response);
  if (!response.ok) throw statusError(response, bytes, operationId);
  if (bytes === null) {
    throw new CallError(
      "EXECUTION_ERROR",
      `${operationId}: the answer has more than ${maxBytes} bytes`,
      {
        details: { operationId, maxBytes },
      },
    );
  }
  return httpEnvelope(dataOf(bytes, contentType, operationId), metaOf(response));
}

/** The parts of an answer that go into the envelope; cookies are the server's and ours, not the caller's. */
export function metaOf(response: Response): {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
} {
  const headers = Object.fromEntries(
    [...response.headers].filter(([name]) => name !== "set-cookie"),
  );
  return { statusCode: response.status, headers, contentType: mediaType(response) };
}

/** The error of a status that is no success. */
function statusError(response: Response, bytes: Buffer | null, operationId: string): CallError {
  const text = bytes?.subarray(0, 4 * MOST_OF_FAILURE).toString("utf8") ?? "";
  const whole = text.length <= MOST_OF_FAILURE && isJson(mediaType(response));
  const body = whole ? (parsed(text) ?? text) : text.slice(0, MOST_OF_FAILURE);
  return new CallError(
    HTTP_ERROR,
    `${operationId}: the API answered with status ${response.status}`,
    {
      details: { status: response.status, body },
    },
  );
}

/** The body, or `null` where it is longer than it may be; the rest is not read. */
async function readBytes(response: Response, maxBytes: number): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function dataOf(bytes: Buffer, contentType: string, operationId: string): unknown {
  if (bytes.length === 0) return null;
  if (contentType.startsWith("text/")) return bytes.toString("utf8");
  if (!isJson(contentType)) return bytes.toString("base64");
  const data = parsed(bytes.toString("utf8"));
  if (data !== undefined) return data;
  throw new CallError("EXECUTION_ERROR", `${operationId}: the answer is no JSON`, {
    details: { operationId },
  });
}

function mediaType(response: Response): string {
  return (response.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

function isJson(contentType: string): boolean {
  return contentType === "application/json" || contentType.endsWith("+json");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
