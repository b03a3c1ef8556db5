/** The id of the ACL graph in every tenant's file: the name-based id of `graph:acl`. */
export const ACL_GRAPH_ID = "c513c3f6-3566-81c2-9f3f-cf95628d9d48";

/** Which rows of `edges` are delegations of the ACL graph; word for word as the index has it. */
export const ACL_DELEGATIONS: string = ofType("delegates");

/** Which rows of `edges` are permissions of the ACL graph; word for word as the index has it. */
export const ACL_PERMISSIONS: string = ofType("scopes");

function ofType(edgeType: string): string {
  return `graph_id = '${ACL_GRAPH_ID}' AND json_extract(metadata, '$._metagraph.edgeType') = '${edgeType}'`;
}
