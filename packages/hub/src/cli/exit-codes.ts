/** What the exit status of `alkdev` means; see docs/guide/cli.md. */
export const EXIT = {
  ok: 0,
  /** It was tried and did not work. */
  failed: 1,
  /** The command was not understood; nothing was done. */
  usage: 2,
  /** What was asked for is not there. */
  notFound: 3,
  /** Not signed in, not allowed, or not confirmed. */
  refused: 4,
  /** `doctor` or `verify` found something. */
  trouble: 5,
  /** In use, overloaded or not reachable: the same command may work later. */
  tryLater: 6,
  brokenPipe: 141,
} as const;

const CODES: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: EXIT.usage,
  INVALID_CONFIG: EXIT.usage,
  INVALID_PAYLOAD: EXIT.usage,
  MALFORMED_REQUEST: EXIT.usage,
  VALIDATION_ERROR: EXIT.usage,
  WRONG_OPERATION_TYPE: EXIT.usage,
  TOO_LARGE: EXIT.usage,
  NOT_FOUND: EXIT.notFound,
  OPERATION_NOT_FOUND: EXIT.notFound,
  REFUSED: EXIT.refused,
  UNAUTHENTICATED: EXIT.refused,
  FORBIDDEN: EXIT.refused,
  ACCESS_DENIED: EXIT.refused,
  SOURCE_UNAVAILABLE: EXIT.tryLater,
  BUSY: EXIT.tryLater,
  OVERLOADED: EXIT.tryLater,
  RATE_LIMITED: EXIT.tryLater,
  TENANT_BUSY: EXIT.tryLater,
  TENANT_ELSEWHERE: EXIT.tryLater,
  TIMEOUT: EXIT.tryLater,
  TRANSPORT_ERROR: EXIT.tryLater,
  UNAVAILABLE: EXIT.tryLater,
};

/** The exit status for an error's code. */
export function exitCodeOf(code: string): number {
  return CODES[code] ?? EXIT.failed;
}
