import { eq } from "drizzle-orm";
import { StorageError } from "../../errors.ts";
import type { SystemDatabase } from "../client.ts";
import { peerCredentialOperations } from "../operations/tables/peer-credentials.ts";
import { peerCredentials } from "../tables/identity/peer-credentials.ts";
import { requireActiveAccount } from "./accounts.ts";
import { type Actor, recordAudit } from "./audit.ts";
import { callTable } from "./call-table.ts";
import { isoOf, requireFuture } from "./moment.ts";
import { parseSshPublicKey } from "./ssh/public-key.ts";

/** A public key by which an account may sign in. */
export interface PeerKeyInput {
  readonly ownerId: string;
  /** The line of a `.pub` file. */
  readonly publicKey: string;
  readonly name?: string;
  /** When it stops, in whole seconds; default never. */
  readonly expiresAt?: Date;
  /** Who does it. Default: the owner. */
  readonly by?: Actor;
  /** Milliseconds since 1970, default now. */
  readonly now?: number;
}

/** A public key that was registered. */
export interface PeerKey {
  readonly id: string;
  readonly fingerprint: string;
}

/**
 * Lets an account sign in with an SSH key; see `Authenticator.createChallenge`.
 *
 * @throws StorageError `INVALID_ARGUMENT` for what is no usable public key, `ALREADY_EXISTS` where
 * somebody has registered it, `NOT_FOUND`, `ACCOUNT_STATE`
 */
export function addPeerKey(
  system: SystemDatabase,
  { ownerId, publicKey, name, expiresAt, by, now = Date.now() }: PeerKeyInput,
): PeerKey {
  const { fingerprint } = parseSshPublicKey(publicKey);
  requireFuture(expiresAt, now);
  return system.transaction(() => {
    requireActiveAccount(system, ownerId, "add a public key");
    const { id } = callTable({ system, operations: peerCredentialOperations }, "create", {
      ownerId,
      credentialType: "ssh_key",
      fingerprint,
      publicKeyData: publicKey.trim(),
      ...(name === undefined ? {} : { name }),
      ...(expiresAt === undefined ? {} : { expiresAt: isoOf(expiresAt) }),
    });
    recordAudit(system, {
      action: "peer_key.added",
      by: by ?? { accountId: ownerId },
      details: { credentialId: id, ownerId, fingerprint },
    });
    return { id, fingerprint };
  });
}

/** Ends a public key at once. False where it was revoked before. @throws StorageError `NOT_FOUND` */
export function revokePeerKey(
  system: SystemDatabase,
  id: string,
  { by, now = Date.now() }: { readonly by?: Actor; readonly now?: number } = {},
): boolean {
  return system.transaction(() => {
    const stored = system.select().from(peerCredentials).where(eq(peerCredentials.id, id)).get();
    if (stored === undefined) {
      throw new StorageError("NOT_FOUND", `there is no peer credential "${id}"`, {
        details: { credentialId: id },
      });
    }
    if (stored.revokedAt !== null) return false;
    const changes = { revokedAt: isoOf(new Date(now)) };
    callTable({ system, operations: peerCredentialOperations }, "update", { id, changes });
    recordAudit(system, {
      action: "peer_key.revoked",
      by: by ?? { accountId: stored.ownerId },
      details: { credentialId: id, ownerId: stored.ownerId, fingerprint: stored.fingerprint },
    });
    return true;
  });
}
