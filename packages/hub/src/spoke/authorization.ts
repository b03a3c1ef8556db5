import { HubError } from "../errors.ts";
import type { HubAddress } from "./hub-address.ts";
import {
  fingerprintOf,
  type SshChallenge,
  type SshIdentity,
  signChallenge,
} from "./ssh-identity.ts";

/** Milliseconds that the hub may take to make a challenge. */
const CHALLENGE_MS = 10_000;

/**
 * The header `Authorization` of one connection.
 *
 * @throws HubError `REFUSED`, `INVALID_ARGUMENT`; what the network says
 */
export async function authorization(
  { key, ssh }: HubAddress,
  challengeUrl: string,
): Promise<string> {
  if (ssh !== undefined) return `SSH ${await answeredChallenge(ssh, challengeUrl)}`;
  return `Bearer ${typeof key === "function" ? await key() : (key ?? "")}`;
}

async function answeredChallenge(ssh: SshIdentity, url: string): Promise<string> {
  const fingerprint = await fingerprintOf(ssh);
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ fingerprint }),
    signal: AbortSignal.timeout(CHALLENGE_MS),
  });
  const body: unknown = await response.json().catch(() => null);
  const { nonce, namespace } = (body ?? {}) as Partial<SshChallenge>;
  if (!response.ok || typeof nonce !== "string" || typeof namespace !== "string") {
    throw new HubError("REFUSED", `the hub made no challenge: HTTP ${response.status}`, {
      details: { status: response.status, fingerprint },
    });
  }
  const signature = await signChallenge(ssh, { nonce, namespace });
  const answer = JSON.stringify({ fingerprint, nonce, signature });
  return Buffer.from(answer).toString("base64");
}
