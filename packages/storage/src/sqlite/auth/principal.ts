import type { Database, PreparedSql } from "@alkdev/honker";
import type { ACCOUNT_ACCESS_LEVELS } from "../tables/identity/accounts.ts";
import type { MEMBERSHIP_LEVELS } from "../tables/identity/organization-members.ts";
import type { CredentialType } from "./audit.ts";
import type { KeyLimits } from "./key-limits.ts";

/** What an account is in one organisation. */
export interface Membership {
  readonly orgId: string;
  readonly membershipLevel: (typeof MEMBERSHIP_LEVELS)[number];
}

/** Who has signed in, with what. Frozen, and shared between requests. */
export interface Principal extends KeyLimits {
  readonly accountId: string;
  readonly accessLevel: (typeof ACCOUNT_ACCESS_LEVELS)[number];
  readonly credentialType: CredentialType;
  /** Row of `api_keys` or `peer_credentials`. */
  readonly credentialId: string;
  /** By organisation id. */
  readonly memberships: readonly Membership[];
}

const MEMBERSHIPS =
  "SELECT org_id, membership_level FROM organization_members WHERE account_id = ? ORDER BY org_id";

/** Reads what a principal is made of besides its credential. */
export class PrincipalReader {
  readonly #memberships: PreparedSql;

  constructor(client: Database) {
    this.#memberships = client.prepare(MEMBERSHIPS);
  }

  /** The principal with its memberships. */
  read(signedIn: Omit<Principal, "memberships">): Principal {
    const memberships = this.#memberships
      .rows([signedIn.accountId])
      .map(([orgId, membershipLevel]) => Object.freeze({ orgId, membershipLevel }) as Membership);
    return Object.freeze({ ...signedIn, memberships: Object.freeze(memberships) });
  }
}
