import { relations } from "drizzle-orm";
import { accounts } from "./accounts.ts";
import { apiKeys } from "./api-keys.ts";
import { auditLogs } from "./audit-logs.ts";
import { organizationMembers } from "./organization-members.ts";
import { organizations } from "./organizations.ts";
import { peerCredentials } from "./peer-credentials.ts";

export const accountsRelations = relations(accounts, ({ many }) => ({
  ownedOrganizations: many(organizations),
  memberships: many(organizationMembers),
  apiKeys: many(apiKeys),
  peerCredentials: many(peerCredentials),
  auditLogs: many(auditLogs),
}));

export const organizationsRelations = relations(organizations, ({ one, many }) => ({
  owner: one(accounts, { fields: [organizations.ownerId], references: [accounts.id] }),
  members: many(organizationMembers),
  auditLogs: many(auditLogs),
}));

export const organizationMembersRelations = relations(organizationMembers, ({ one }) => ({
  organization: one(organizations, {
    fields: [organizationMembers.orgId],
    references: [organizations.id],
  }),
  account: one(accounts, { fields: [organizationMembers.accountId], references: [accounts.id] }),
}));

export const apiKeysRelations = relations(apiKeys, ({ one, many }) => ({
  owner: one(accounts, { fields: [apiKeys.ownerId], references: [accounts.id] }),
  rotatedTo: one(apiKeys, {
    fields: [apiKeys.rotatedToId],
    references: [apiKeys.id],
    relationName: "rotation",
  }),
  rotatedFrom: many(apiKeys, { relationName: "rotation" }),
}));

export const peerCredentialsRelations = relations(peerCredentials, ({ one }) => ({
  owner: one(accounts, { fields: [peerCredentials.ownerId], references: [accounts.id] }),
}));

export const auditLogsRelations = relations(auditLogs, ({ one }) => ({
  owner: one(accounts, { fields: [auditLogs.ownerId], references: [accounts.id] }),
  organization: one(organizations, {
    fields: [auditLogs.orgId],
    references: [organizations.id],
  }),
}));
