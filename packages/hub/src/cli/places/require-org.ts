import {
  organizations,
  type SelectOrganization,
  type SystemDatabase,
} from "@alkdev/storage/sqlite";
import { desc, eq, or } from "drizzle-orm";
import { HubError } from "../../errors.ts";

/** The organisation of an id or a slug; an id that is another's slug is an id. @throws HubError `NOT_FOUND` */
export function requireOrg(system: SystemDatabase, idOrSlug: string): SelectOrganization {
  const row = system
    .select()
    .from(organizations)
    .where(or(eq(organizations.id, idOrSlug), eq(organizations.slug, idOrSlug)))
    .orderBy(desc(eq(organizations.id, idOrSlug)))
    .get();
  if (row !== undefined) return row;
  throw new HubError("NOT_FOUND", `there is no organisation "${idOrSlug}"`, {
    hint: "alkdev org list shows them",
    details: { org: idOrSlug },
  });
}
