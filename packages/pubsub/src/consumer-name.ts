import { PubSubError } from "./errors.ts";

/** The parts of a consumer name; each of letters, digits, `.`, `_` and `-`, at most 64 characters. */
export interface ConsumerNameParts {
  /** Which program it is: `hub`, `spoke`, `projector`. */
  readonly role: string;
  /** Which of its instances, from configuration: `eu-1`, `main`. The same after every restart. */
  readonly instance: string;
  /** What it reads for: `dashboard`, `audit`. One program may read a stream for several purposes. */
  readonly purpose: string;
}

/** What a name is checked against. Default: this process. */
export interface ConsumerNameEnvironment {
  readonly processId?: number;
  /** Milliseconds since 1970. */
  readonly now?: number;
}

const PART = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const UUID = /[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/i;
/** ULID: 26 characters of Crockford's base 32, the first at most 7. */
const ULID = /(?:^|[^A-Z0-9])[0-7][0-9A-HJKMNP-TV-Z]{25}(?:$|[^A-Z0-9])/i;
/** Random hexadecimal text, such as the 12 digits Docker takes as host name. */
const HEX = /(?:^|[^a-z0-9])(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{12,}(?:$|[^a-z0-9])/i;
/** The end of a Kubernetes Deployment's pod name: hash of the replica set, then five random characters. */
const POD = /-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/;
const DATE_TIME = /\d{4}-?\d{2}-?\d{2}[T_.-]?\d{2}[:.-]?\d{2}/;

/** Process ids below this are given again at every start of a container, and make good instance numbers. */
const SMALL_PID = 100;
/** Numbers this close to now, in milliseconds, are taken for times. */
const TEN_YEARS_MS = 10 * 365 * 86_400_000;

/**
 * The name under which a durable consumer's offset is kept: `role:instance:purpose`. A name that
 * changes with a restart would start over and leave the old offset behind, so parts that look made at
 * run time are refused: process ids, random ids, host names of containers, times.
 *
 * @throws {@link PubSubError} `UNSTABLE_CONSUMER_NAME`, or `INVALID_ARGUMENT` for other characters
 * @example
 * ```ts
 * import { consumerName } from "@alkdev/pubsub";
 *
 * const instance = process.env["HUB_INSTANCE"] ?? "main";
 * consumerName({ role: "hub", instance, purpose: "dashboard" }); // "hub:main:dashboard"
 * ```
 */
export function consumerName(
  parts: ConsumerNameParts,
  environment: ConsumerNameEnvironment = {},
): string {
  const { role, instance, purpose } = parts;
  for (const [name, part] of Object.entries({ role, instance, purpose })) {
    if (typeof part !== "string" || !PART.test(part)) {
      throw new PubSubError(
        "INVALID_ARGUMENT",
        `${name} of a consumer name is ${JSON.stringify(part)}; it must be 1 to 64 letters, digits, ".", "_" or "-"`,
        { details: { [name]: part } },
      );
    }
    const reason = whyUnstable(part, environment);
    if (reason === undefined) continue;
    throw new PubSubError(
      "UNSTABLE_CONSUMER_NAME",
      `${name} "${part}" of a consumer name ${reason}; after a restart it would be another consumer`,
      {
        hint: "Take it from configuration, so that it is the same after every restart",
        details: { [name]: part },
      },
    );
  }
  return `${role}:${instance}:${purpose}`;
}

function whyUnstable(part: string, environment: ConsumerNameEnvironment): string | undefined {
  // a browser has no process, and needs no consumer names either
  const { processId = globalThis.process?.pid, now = Date.now() } = environment;
  if (UUID.test(part)) return "holds a UUID";
  if (ULID.test(part)) return "holds a ULID";
  if (HEX.test(part)) return "holds a random id, as the host names of containers are";
  if (POD.test(part)) return "ends like the name of a Kubernetes pod";
  if (DATE_TIME.test(part)) return "holds a date and time";
  for (const digits of part.match(/\d+/g) ?? []) {
    const value = Number(digits);
    if (value === processId && value >= SMALL_PID) return "holds the process id";
    if (digits.length === 13 && Math.abs(value - now) < TEN_YEARS_MS) return "holds a time";
    if (digits.length === 10 && Math.abs(value * 1_000 - now) < TEN_YEARS_MS) return "holds a time";
  }
  return undefined;
}

/** A consumer name in use. */
export interface ConsumerNameClaim extends Disposable {
  readonly name: string;
  /** Gives the name back; idempotent. */
  release(): void;
}

const claimedByObject = new WeakMap<object, Set<string>>();
const claimedByText = new Map<string, Set<string>>();

/**
 * Reserves a consumer name while its subscriber lives. Two live subscribers of one name would take
 * events away from each other and overwrite each other's offset. Holds within this process; between
 * processes the engines keep watch themselves where they can.
 *
 * @param scope where the name has to be unique: the database handle, or a text such as `redis://host/stream`
 * @throws {@link PubSubError} `CONSUMER_NAME_TAKEN`
 */
export function claimConsumerName(scope: object | string, name: string): ConsumerNameClaim {
  const claimed = claimsOf(scope);
  if (claimed.has(name)) {
    throw new PubSubError("CONSUMER_NAME_TAKEN", `consumer "${name}" is in use in this process`, {
      hint: "Close the other subscriber, or give this one another purpose",
      details: { name },
    });
  }
  claimed.add(name);
  let held = true;
  const release = (): void => {
    if (!held) return;
    held = false;
    claimed.delete(name);
    if (claimed.size === 0 && typeof scope === "string") claimedByText.delete(scope);
  };
  return { name, release, [Symbol.dispose]: release };
}

function claimsOf(scope: object | string): Set<string> {
  const known = typeof scope === "string" ? claimedByText.get(scope) : claimedByObject.get(scope);
  if (known !== undefined) return known;
  const claimed = new Set<string>();
  if (typeof scope === "string") claimedByText.set(scope, claimed);
  else claimedByObject.set(scope, claimed);
  return claimed;
}
