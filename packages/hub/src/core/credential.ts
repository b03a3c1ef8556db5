import { CallError } from "@alkdev/operations";
import {
  type Authenticator,
  type ChallengeAnswer,
  levelsIn,
  organizations,
  type Principal,
  type SystemDatabase,
} from "@alkdev/storage/sqlite";
import { eq, or } from "drizzle-orm";
import { admitted, type Recheck, Session } from "./session.ts";

/** What somebody shows: an API key, or a challenge that an SSH key has signed. */
export type Credential =
  | { readonly bearer: string | null }
  | { readonly challenge: ChallengeAnswer };

/** Where {@link signIn} lets somebody in. */
export interface SignInOptions {
  /** Id or slug of an organisation; null: none. Default: the only one of the account, or none. */
  readonly org?: string | null;
  /** Address of the caller. */
  readonly source: string;
}

/** Where {@link signIn} looks. */
interface SignInPlaces {
  readonly auth: Authenticator;
  readonly system: SystemDatabase;
}

/** Who shows a credential, in which organisation. @throws CallError as `HubCore.signIn` */
export function signIn(
  { auth, system }: SignInPlaces,
  credential: Credential,
  { org, source }: SignInOptions,
): Session {
  const principal = admitted(
    "bearer" in credential
      ? auth.authenticate(credential.bearer, { source })
      : auth.verifyChallenge(credential.challenge, { source }),
  );
  const recheck: Recheck =
    "bearer" in credential
      ? () => auth.authenticate(credential.bearer, { source })
      : () => auth.recheckPeer(credential.challenge.fingerprint, { source });
  const orgId = organisationOf(principal, org, system);
  if (orgId !== undefined) return new Session({ principal, recheck, orgId, source });
  auth.noteNoAccess(principal, { source });
  throw new CallError("FORBIDDEN", "no access to this organisation");
}

/** The organisation a session works in; undefined: it may not, or there is none. */
function organisationOf(
  principal: Principal,
  org: string | null | undefined,
  system: SystemDatabase,
): string | null | undefined {
  if (org === null) return null;
  if (org === undefined || org === "") return onlyOrganisation(principal);
  const row = system
    .select({ id: organizations.id })
    .from(organizations)
    .where(or(eq(organizations.id, org), eq(organizations.slug, org)))
    .orderBy(eq(organizations.slug, org)) // an id that is another's slug is an id
    .get();
  return row !== undefined && levelsIn(principal, row.id).length > 0 ? row.id : undefined;
}

function onlyOrganisation({ orgId, memberships }: Principal): string | null {
  if (orgId !== null) return orgId;
  const [first, ...others] = memberships;
  return first !== undefined && others.length === 0 ? first.orgId : null;
}
