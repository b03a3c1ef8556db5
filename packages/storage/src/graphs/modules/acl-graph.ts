import { Type } from "@sinclair/typebox";
import { edgeAttributes, edgeConstraints, graphConfig, nodeAttributes } from "./attributes.ts";
import { defineModule } from "./define-module.ts";
import { Id, ResourceActions, Scope, Timestamp } from "./shared-types.ts";

const PRINCIPAL = ["principal"];

/**
 * Who may do what. Scopes flow along `delegates` edges and only ever become fewer; `scopes` edges allow
 * actions on one resource; `belongs_to` edges mirror the organisation's members.
 */
export const AclGraph = defineModule(
  { name: "acl_graph", description: "Principals, what they may do and who let them" },
  {
    Config: graphConfig({ type: "directed", multi: false, allowSelfLoops: false }),
    IdentityTypeEnum: Type.Union([
      Type.Literal("account"),
      Type.Literal("service"),
      Type.Literal("org"),
      Type.Literal("role"),
    ]),
    MembershipLevelEnum: Type.Union([
      Type.Literal("owner"),
      Type.Literal("admin"),
      Type.Literal("member"),
    ]),
    Scope,
    ResourceActions,
    PrincipalNode: nodeAttributes(
      {
        identityType: Type.Ref("IdentityTypeEnum"),
        /** The account, organisation or role it stands for; a row of another file. */
        identityId: Id,
        scopes: Type.Array(Type.Ref("Scope"), { uniqueItems: true }),
        resources: Type.Optional(Type.Ref("ResourceActions")),
        /** Milliseconds since 1970 after which it holds nothing. */
        expiresAt: Type.Optional(Timestamp),
      },
      { description: "Someone who holds scopes" },
    ),
    ResourceNode: nodeAttributes(
      { resourceType: Id, resourceId: Id, name: Type.Optional(Type.String()) },
      { description: "Something that is accessed" },
    ),
    DelegatesEdge: edgeAttributes(
      {
        narrowedScopes: Type.Array(Type.Ref("Scope"), { uniqueItems: true }),
        narrowedResources: Type.Optional(Type.Ref("ResourceActions")),
        /** False: the target may not delegate further. True where it is left out. */
        narrowable: Type.Optional(Type.Boolean({ default: true })),
        /** Milliseconds since 1970 after which the delegation is void. */
        expiresAt: Type.Optional(Timestamp),
      },
      { description: "The source lets the target act with some of its scopes" },
    ),
    DelegatesEdgeConstraints: edgeConstraints({ from: PRINCIPAL, to: PRINCIPAL }),
    ScopesEdge: edgeAttributes(
      {
        actions: Type.Array(Id, { minItems: 1, uniqueItems: true }),
        /** Milliseconds since 1970 after which the permission is void. */
        expiresAt: Type.Optional(Timestamp),
      },
      { description: "The source may do these actions on the target" },
    ),
    ScopesEdgeConstraints: edgeConstraints({ from: PRINCIPAL, to: ["resource"] }),
    BelongsToEdge: edgeAttributes(
      { membershipLevel: Type.Ref("MembershipLevelEnum") },
      { description: "The source is a member of the target organisation" },
    ),
    BelongsToEdgeConstraints: edgeConstraints({ from: PRINCIPAL, to: PRINCIPAL }),
  },
);
