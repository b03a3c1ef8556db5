import { CallError } from "@alkdev/operations";
import type { ChallengeAnswer } from "@alkdev/storage/sqlite";
import type { Credential } from "../core/credential.ts";

const BEARER_SUBPROTOCOL = "bearer.";

/** The headers of a request that say who makes it. */
export interface CredentialHeaders {
  readonly authorization: string | null;
  /** Of a WebSocket request: browsers can set nothing else. */
  readonly subprotocols?: readonly string[];
}

/**
 * What a request shows: `Authorization: Bearer <key>`, `Authorization: SSH <base64 of JSON>` with
 * fingerprint, nonce and signature of a challenge, or the WebSocket subprotocol `bearer.<key>`.
 *
 * @throws CallError `UNAUTHENTICATED` for what is neither
 */
export function requestCredential({ authorization, subprotocols }: CredentialHeaders): Credential {
  const shown = subprotocols?.find((one) => one.startsWith(BEARER_SUBPROTOCOL));
  if (authorization === null) {
    return { bearer: shown === undefined ? null : shown.slice(BEARER_SUBPROTOCOL.length) };
  }
  const [scheme = "", value = ""] = authorization.trim().split(/\s+/, 2);
  switch (scheme.toLowerCase()) {
    case "bearer":
      return { bearer: value };
    case "ssh":
      return { challenge: challengeOf(value) };
    default:
      throw new CallError("UNAUTHENTICATED", "Authorization must be Bearer or SSH");
  }
}

function challengeOf(value: string): ChallengeAnswer {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(value, "base64").toString("utf8"));
    if (typeof parsed === "object" && parsed !== null) {
      const { fingerprint, nonce, signature } = parsed as Record<string, unknown>;
      const parts = [fingerprint, nonce, signature];
      if (parts.every((part) => typeof part === "string")) return parsed as ChallengeAnswer;
    }
  } catch {
    // said below
  }
  throw new CallError("UNAUTHENTICATED", "Authorization: SSH takes base64 of JSON");
}
