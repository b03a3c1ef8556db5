import type { OutgoingState } from "./outgoing.ts";

/** What the other side says: its state, that it knows nothing, cannot be asked, or has no tenant any more. */
export type OtherSide = OutgoingState | "none" | "unreachable" | "gone";

/**
 * Whether a delegation is in the receiving file: `expired`: it is, and gives nothing any more;
 * `to-be-compensated`: it is, and shall not be: it is being taken out; `unknown`: the file cannot be read.
 */
export type DelegationVerdict =
  | "applied"
  | "not-applied"
  | "expired"
  | "to-be-compensated"
  | "unknown";

/**
 * What was done: nothing, as both sides agree or the other cannot be asked; `confirmed`: the delegating
 * file had not noted the application; `resent`: its message is on the way again; `ended`: one side has
 * ended, and now the other has; `taken-back`: the delegator no longer holds it.
 */
export type ReconcileAction = "none" | "confirmed" | "resent" | "ended" | "taken-back";

/** What reconciling found out about one delegation, and did. */
export interface ReconciledDelegation {
  readonly id: string;
  /** Which side the reconciled organisation is. */
  readonly side: "outgoing" | "incoming";
  readonly otherOrgId: string;
  /** State in this organisation's file, before. */
  readonly here: OutgoingState;
  /** State in the other one's file, before; what its owner took apart counts as revoked. */
  readonly there: OtherSide;
  /** What holds now. */
  readonly verdict: DelegationVerdict;
  readonly action: ReconcileAction;
  /** Why it ended or ends, or why the other side cannot be asked; else null. */
  readonly reason: string | null;
}
