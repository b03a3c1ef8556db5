import {
  ACCOUNT_ACCESS_LEVELS,
  ACCOUNT_STATUSES,
  MEMBERSHIP_LEVELS,
  type SelectAccount,
  type SelectOrganization,
  type SelectOrganizationMember,
} from "@alkdev/storage/sqlite";
import { type TUnsafe, Type } from "@sinclair/typebox";
import { closed, JsonObject, Moment, nullable, oneOf } from "./schemas.ts";

type View<Row> = Omit<Row, "createdAt" | "updatedAt"> & {
  readonly createdAt: string;
  readonly updatedAt: string;
};

const ROW = { id: Type.String(), metadata: JsonObject, createdAt: Moment, updatedAt: Moment };

/** An account. */
export const AccountSchema: TUnsafe<View<SelectAccount>> = Type.Unsafe(
  closed({
    ...ROW,
    email: Type.String(),
    displayName: nullable(Type.String()),
    accessLevel: oneOf(ACCOUNT_ACCESS_LEVELS),
    status: oneOf(ACCOUNT_STATUSES),
  }),
);

/** An organisation. */
export const OrganizationSchema: TUnsafe<View<SelectOrganization>> = Type.Unsafe(
  closed({ ...ROW, name: Type.String(), slug: Type.String(), ownerId: Type.String() }),
);

/** A membership. */
export const MemberSchema: TUnsafe<View<SelectOrganizationMember>> = Type.Unsafe(
  closed({
    ...ROW,
    orgId: Type.String(),
    accountId: Type.String(),
    membershipLevel: oneOf(MEMBERSHIP_LEVELS),
  }),
);

/** A row as it travels; its times are ISO 8601. */
export function rowOf<Row extends { readonly createdAt: Date; readonly updatedAt: Date }>(
  row: Row,
): View<Row> {
  const { createdAt, updatedAt } = row;
  return { ...row, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}
