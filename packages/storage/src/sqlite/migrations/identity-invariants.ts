/** A UUID version 7 (RFC 9562) made by SQLite: 48 bits of milliseconds, 74 random bits. */
const UUID_V7 = `(SELECT printf('%08x-%04x-7%03x-%04x-%012x',
      ms >> 16, ms & 0xffff, random() & 0xfff, 0x8000 | (random() & 0x3fff), random() & 0xffffffffffff)
    FROM (SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS ms))`;

/** Makes `NEW.owner_id` the owner among the members of `NEW.id`, who may have been one already. */
const ENTER_OWNER = `INSERT INTO organization_members (id, org_id, account_id, membership_level)
    VALUES (${UUID_V7}, NEW.id, NEW.owner_id, 'owner')
    ON CONFLICT (org_id, account_id)
      DO UPDATE SET membership_level = 'owner', updated_at = unixepoch();`;

const OWNER_ENTERS = `CREATE TRIGGER organizations_owner_enters AFTER INSERT ON organizations
  BEGIN ${ENTER_OWNER} END`;

const OWNER_CHANGES = `CREATE TRIGGER organizations_owner_changes AFTER UPDATE OF owner_id ON organizations
  WHEN NEW.owner_id <> OLD.owner_id
  BEGIN
    UPDATE organization_members SET membership_level = 'admin', updated_at = unixepoch()
      WHERE org_id = NEW.id AND account_id = OLD.owner_id;
    ${ENTER_OWNER}
  END`;

/** Members name their organization by its id; a new one would leave them, or need them changed. */
const ORGANIZATION_ID_STAYS = `CREATE TRIGGER organizations_id_stays BEFORE UPDATE OF id ON organizations
  WHEN NEW.id <> OLD.id
  BEGIN SELECT raise(ABORT, 'organizations_id_stays: the id of an organization never changes'); END`;

/**
 * The rule, asked of every row that is written: the level is "owner" for the account that `owner_id`
 * names and for no other. As a pair is unique, there is then at most one such row.
 */
const LEVEL_MISFITS = `coalesce(
    (NEW.membership_level = 'owner')
      <> (NEW.account_id = (SELECT owner_id FROM organizations WHERE id = NEW.org_id)),
    NEW.membership_level = 'owner')`;
const NOT_THE_OWNER = `raise(ABORT, 'organization_members_owner: the owner''s row changes only with owner_id of the organization')`;

const MEMBER_WRITTEN = `CREATE TRIGGER organization_members_owner_insert
  BEFORE INSERT ON organization_members WHEN ${LEVEL_MISFITS}
  BEGIN SELECT ${NOT_THE_OWNER}; END`;

const MEMBER_CHANGED = `CREATE TRIGGER organization_members_owner_update
  BEFORE UPDATE ON organization_members WHEN ${LEVEL_MISFITS}
  BEGIN SELECT ${NOT_THE_OWNER}; END`;

/** Not when the organization itself goes: its row is gone before the cascade reaches its members. */
const MEMBER_DELETED = `CREATE TRIGGER organization_members_owner_delete
  BEFORE DELETE ON organization_members
  WHEN EXISTS (SELECT 1 FROM organizations WHERE id = OLD.org_id AND owner_id = OLD.account_id)
  BEGIN SELECT ${NOT_THE_OWNER}; END`;

/** So that no `UPDATE OR REPLACE` can run into the owner's row and delete it unasked. */
const MEMBER_IDENTITY_STAYS = `CREATE TRIGGER organization_members_identity_stays
  BEFORE UPDATE OF id, org_id, account_id ON organization_members
  WHEN (NEW.id, NEW.org_id, NEW.account_id) <> (OLD.id, OLD.org_id, OLD.account_id)
  BEGIN SELECT raise(ABORT, 'organization_members_identity_stays: a membership is of one account in one organization; delete it and insert another'); END`;

/** So that no `INSERT OR REPLACE` can: it fires no delete trigger unless recursive_triggers is on. */
const OWNER_ROW_REPLACED = `CREATE TRIGGER organization_members_owner_replace
  BEFORE INSERT ON organization_members
  WHEN EXISTS (SELECT 1 FROM organization_members
    WHERE id = NEW.id AND membership_level = 'owner'
      AND (org_id, account_id) <> (NEW.org_id, NEW.account_id))
  BEGIN SELECT ${NOT_THE_OWNER}; END`;

const APPEND_ONLY = "raise(ABORT, 'audit_logs_append_only: the audit trail only grows')";

const AUDIT_REPLACED = `CREATE TRIGGER audit_logs_replace BEFORE INSERT ON audit_logs
  WHEN EXISTS (SELECT 1 FROM audit_logs WHERE id = NEW.id)
  BEGIN SELECT ${APPEND_ONLY}; END`;

const AUDIT_DELETED = `CREATE TRIGGER audit_logs_delete BEFORE DELETE ON audit_logs
  BEGIN SELECT ${APPEND_ONLY}; END`;

/** All but what the foreign key does when an organization goes: org_id alone becomes null. */
const AUDIT_CHANGED = `CREATE TRIGGER audit_logs_update BEFORE UPDATE ON audit_logs
  WHEN NEW.org_id IS NOT NULL
    OR EXISTS (SELECT 1 FROM organizations WHERE id = OLD.org_id)
    OR (NEW.id, NEW.metadata, NEW.created_at, NEW.updated_at, NEW.action, NEW.owner_id,
        NEW.credential_id, NEW.credential_type, NEW.details)
      IS NOT (OLD.id, OLD.metadata, OLD.created_at, OLD.updated_at, OLD.action, OLD.owner_id,
        OLD.credential_id, OLD.credential_type, OLD.details)
  BEGIN SELECT ${APPEND_ONLY}; END`;

/** Triggers that hold what constraints cannot: one owner per organization, an audit trail that only grows. */
export const IDENTITY_INVARIANTS: readonly string[] = [
  OWNER_ENTERS,
  OWNER_CHANGES,
  ORGANIZATION_ID_STAYS,
  MEMBER_WRITTEN,
  MEMBER_CHANGED,
  MEMBER_DELETED,
  MEMBER_IDENTITY_STAYS,
  OWNER_ROW_REPLACED,
  AUDIT_REPLACED,
  AUDIT_DELETED,
  AUDIT_CHANGED,
];
