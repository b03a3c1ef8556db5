import { Redis } from "ioredis";
import { TransferError } from "../errors.ts";
import { shownUrl } from "../postgres/source.ts";

/**
 * A connection to Redis that fails rather than waits. It only reads.
 *
 * @throws {@link TransferError} `SOURCE_UNAVAILABLE`
 */
export async function openRedis(url: string): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectionName: "alkdev-transfer",
  });
  let reason: unknown;
  // unheard, it would be printed; the call that fails says the same
  redis.on("error", (error) => {
    reason = error;
  });
  try {
    await redis.connect();
    return redis;
  } catch (cause) {
    redis.disconnect();
    throw new TransferError("SOURCE_UNAVAILABLE", `cannot connect to ${shownUrl(url)}`, {
      cause: reason ?? cause,
      hint: "Check host, port, database number and password",
    });
  }
}

/**
 * A value of Redis as text. Bytes that are no UTF-8 become `base64:` and their base64.
 *
 * @returns the text, and whether it had to be encoded
 */
export function textOfBytes(bytes: Buffer): { readonly text: string; readonly encoded: boolean } {
  try {
    return { text: UTF_8.decode(bytes), encoded: false };
  } catch {
    return { text: `base64:${bytes.toString("base64")}`, encoded: true };
  }
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
