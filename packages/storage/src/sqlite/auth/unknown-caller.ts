import type { Database } from "@alkdev/honker";
import { nameUuid } from "../name-uuid.ts";

const ID = nameUuid("unknown caller");
const INSERT = `INSERT INTO accounts (id, email, display_name, access_level, status)
  VALUES (?, 'unknown-caller@alkdev.invalid', 'Unknown caller', 'service', 'deactivated')
  ON CONFLICT (id) DO NOTHING`;

/**
 * The account that owns what nobody known has done: rows of the audit trail need one. Made the first
 * time, in the open transaction; deactivated, so that it can never sign in.
 */
export function unknownCaller(client: Database): string {
  client.prepare(INSERT).run([ID]);
  return ID;
}
