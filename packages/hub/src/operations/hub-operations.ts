import type { HubOperation } from "../core/hub-options.ts";
import { accountOperations } from "./account-operations.ts";
import { aclGrantOperations } from "./acl-grant-operations.ts";
import { aclOperations } from "./acl-operations.ts";
import { bulkOperations } from "./bulk-operations.ts";
import { callGraphOperation } from "./call-graph-operation.ts";
import { callOperations } from "./call-operations.ts";
import { catalogOperation } from "./catalog-operation.ts";
import { channelOperations } from "./channel-operations.ts";
import { consumerOperations } from "./consumer-operations.ts";
import { deadLetterOperations } from "./dead-letter-operations.ts";
import { delegationOperations } from "./delegation-operations.ts";
import { enqueueOperation } from "./enqueue-operation.ts";
import { graphOperations } from "./graph-operations.ts";
import { keyOperations } from "./key-operations.ts";
import { lockOperations } from "./lock-operations.ts";
import type { OperationsHost } from "./operations-host.ts";
import { organizationOperations } from "./organization-operations.ts";
import { queueOperations } from "./queue-operations.ts";
import { scheduleOperations } from "./schedule-operations.ts";
import { spokeOperations } from "./spoke-operations.ts";
import { statusOperation } from "./status-operation.ts";
import { streamOperations } from "./stream-operations.ts";
import { systemTableOperations, tenantTableOperations } from "./table-operations.ts";
import { tenantCopyOperations } from "./tenant-copy-operations.ts";
import { tenantOperations } from "./tenant-operations.ts";
import { tenantStateOperations } from "./tenant-state-operations.ts";
import { whoamiOperation } from "./whoami-operation.ts";

/** What both realms have: what is in a file besides its tables. */
const ENGINE_OPERATIONS: readonly HubOperation[] = [
  ...queueOperations,
  enqueueOperation,
  ...deadLetterOperations,
  ...streamOperations,
  ...consumerOperations,
  ...channelOperations,
  ...lockOperations,
  ...scheduleOperations,
];

/** The operations that every hub offers, by realm. */
export function hubOperations(core: OperationsHost): {
  readonly tenant: readonly HubOperation[];
  readonly system: readonly HubOperation[];
} {
  const everywhere = [...ENGINE_OPERATIONS, catalogOperation(core), whoamiOperation(core)];
  return {
    tenant: [
      ...tenantTableOperations,
      ...everywhere,
      ...graphOperations,
      ...bulkOperations(core),
      ...callOperations,
      callGraphOperation,
      ...spokeOperations,
      ...aclOperations,
      ...aclGrantOperations,
      ...delegationOperations(core),
    ],
    system: [
      ...systemTableOperations,
      ...everywhere,
      statusOperation(core),
      ...tenantOperations(core),
      ...tenantStateOperations(core),
      ...tenantCopyOperations(core),
      ...keyOperations(core),
      ...accountOperations(core),
      ...organizationOperations(core),
    ],
  };
}
