import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { open } from "@alkdev/honker";
import {
  CallError,
  type CallOptions,
  checkAccess,
  type Identity,
  type OperationAnswers,
  OperationRegistry,
  type OperationSpec,
  operationId,
  type ResponseEnvelope,
} from "@alkdev/operations";
import {
  type Authenticator,
  createAuthenticator,
  createSystemDatabase,
  createTenantManager,
  type Principal,
  type SystemDatabase,
  systemIdentity,
  type TenantManager,
} from "@alkdev/storage/sqlite";
import { journaled } from "../journal/journaled.ts";
import { hubOperations } from "../operations/hub-operations.ts";
import { registerSpoke } from "../socket/register-spoke.ts";
import { type CallOrigin, type CallPlace, withPlace } from "./call-place.ts";
import { type Aim, type CallReport, CallReports } from "./call-reports.ts";
import { type Credential, type SignInOptions, signIn } from "./credential.ts";
import {
  type HubOperation,
  type HubOptions,
  type HubSettings,
  resolveHubOptions,
} from "./hub-options.ts";
import { noteUnreached } from "./note-unreached.ts";
import type { OpenSubscription } from "./open-subscriptions.ts";
import { journalOf } from "./place-of-call.ts";
import { RealmServices } from "./realm-services.ts";
import { ReportedAnswers } from "./reported-answers.ts";
import type { PrincipalOf, Session } from "./session.ts";
import { type RuntimeLease, TenantRuntimes } from "./tenant-runtimes.ts";

/** A call as an edge of the hub hands it in. */
export interface HubCall {
  readonly operationId: string;
  readonly input: unknown;
  /** Also the key by which a mutation has one effect. Default: a new UUID. */
  readonly requestId?: string;
  readonly parentRequestId?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
  /** Milliseconds since 1970. The hub's own limit counts where it is earlier. */
  readonly deadline?: number;
  /** The connection it came over, for operations that call back. */
  readonly origin?: CallOrigin;
}

/** A call that may go to the registry, which looks at the operation's own demands. */
interface Admitted {
  readonly identity: Identity;
  readonly place: CallPlace;
}

/**
 * A hub without its edges: the files, who may do what, and every operation. Made by {@link createHubCore}.
 */
export class HubCore implements AsyncDisposable {
  readonly settings: HubSettings;
  readonly system: SystemDatabase;
  readonly tenants: TenantManager;
  readonly auth: Authenticator;
  readonly runtimes: TenantRuntimes;
  /** What the hub runs over `system.db`. */
  readonly services: RealmServices;
  readonly #systemOperations: OperationRegistry;
  readonly #tenantOperations: OperationRegistry;
  readonly #reports = new CallReports();
  #running = 0;
  #draining = false;
  #onIdle: (() => void) | null = null;
  #closing: Promise<void> | undefined;

  /** @internal Use `createHubCore()`. */
  constructor(settings: HubSettings) {
    const { dataFolder, onError } = settings;
    this.settings = settings;
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    this.system = createSystemDatabase(open(join(dataFolder, "system.db")));
    const { system } = this;
    this.tenants = createTenantManager({
      ...settings.tenants,
      folder: join(dataFolder, "tenants"),
      system,
      onError,
    });
    this.auth = createAuthenticator(system, { ...settings.auth, onError });
    this.runtimes = new TenantRuntimes({ system, tenants: this.tenants, settings });
    this.services = new RealmServices({
      db: system,
      settings,
      mayUse: ({ session }) =>
        systemIdentity(session.principal(), settings.membershipScopes).scopes.includes("*"),
    });
    const own = hubOperations(this);
    const { operations } = settings;
    const spokes = registerSpoke((namespace) => this.#isOwn(namespace));
    this.#systemOperations = this.#registry([...own.system, ...(operations.system ?? [])]);
    this.#tenantOperations = this.#registry([...own.tenant, spokes, ...(operations.tenant ?? [])]);
  }

  /** Whether it takes no more calls. */
  get closing(): boolean {
    return this.#draining || this.#closing !== undefined;
  }

  /**
   * Finds out who shows a credential, and in which organisation it works.
   *
   * @throws CallError `UNAUTHENTICATED`, `RATE_LIMITED`; `FORBIDDEN` for organisations that are not there
   * or that the account is not in; `UNAVAILABLE` while the hub closes
   */
  signIn(credential: Credential, options: SignInOptions): Session {
    if (this.closing) throw new CallError("UNAVAILABLE", "the hub is closing");
    return signIn({ auth: this.auth, system: this.system }, credential, options);
  }

  /**
   * Whether a session can call at all now. Good for a connection that is to stay open: what its calls may do
   * is looked at anew from here on.
   *
   * @throws CallError `UNAUTHENTICATED`, `RATE_LIMITED`, `FORBIDDEN`, `UNAVAILABLE`
   */
  requireAvailable(session: Session): void {
    using lease = this.#lease(session);
    const principal = session.principal();
    if (lease !== null) this.#identityOf(principal, lease);
  }

  /**
   * Calls a query or mutation.
   *
   * @throws CallError as `OperationRegistry.execute`, and `UNAUTHENTICATED`, `RATE_LIMITED`, `FORBIDDEN`,
   * `UNAVAILABLE`
   */
  async execute(session: Session, call: HubCall): Promise<ResponseEnvelope> {
    using lease = this.#lease(session);
    const aim = this.#aim(call.operationId, lease);
    const { registry, spec } = aim;
    const report = this.#reports.begin(aim);
    const { identity, place } = this.#admit(session, call, { aim, report });
    const options = this.#options(call, { identity, place });
    this.#running += 1;
    try {
      const answer = await registry.execute(call.operationId, call.input, options);
      report("ok");
      return answer;
    } catch (error) {
      report(codeOf(error));
      if (!place.reached) noteUnreached(place, { spec, options, error });
      throw error;
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#onIdle?.();
    }
  }

  /**
   * Subscribes to a subscription; see `OperationRegistry.subscribe`. It ends with an error when its caller
   * may no longer have it, when the tenant is no longer there, and when the hub closes.
   *
   * @throws CallError as {@link execute}
   */
  subscribe(session: Session, call: HubCall): OperationAnswers {
    const lease = this.#lease(session);
    try {
      const aim = this.#aim(call.operationId, lease);
      const report = this.#reports.begin(aim);
      const admitted = this.#admit(session, call, { aim, report });
      const open = this.#openSubscription(session, call, { aim, place: admitted.place });
      const onEnd = (code: string): void => {
        open[Symbol.dispose]();
        lease?.[Symbol.dispose]();
        report(code);
      };
      const options = this.#options({ ...call, signal: open.signal }, admitted);
      try {
        const answers = aim.registry.subscribe(call.operationId, call.input, options);
        return new ReportedAnswers(answers, onEnd);
      } catch (error) {
        onEnd(codeOf(error));
        noteUnreached(admitted.place, { spec: aim.spec, options, error });
        throw error;
      }
    } catch (error) {
      lease?.[Symbol.dispose]();
      throw error;
    }
  }

  /** Ends subscriptions whose credential, account, membership or scopes are gone. */
  recheckSubscriptions(principalOf: PrincipalOf): void {
    this.services.subscriptions.recheck(principalOf);
    for (const { services } of this.runtimes) services.subscriptions.recheck(principalOf);
  }

  /** Calls `listener` when a call has ended. Returns a function that ends it. */
  onCall(listener: (report: CallReport) => void): () => void {
    return this.#reports.listen(listener);
  }

  /** WebSocket connections that are open. */
  get connections(): number {
    return this.services.sockets.stats().connections + this.runtimes.connections;
  }

  /** Subscriptions that run now. */
  get subscriptions(): number {
    let subscriptions = this.services.subscriptions.size;
    for (const { services } of this.runtimes) subscriptions += services.subscriptions.size;
    return subscriptions;
  }

  /**
   * What a session may do where it works: in its organisation, or in the system.
   *
   * @throws CallError `UNAUTHENTICATED`, `RATE_LIMITED`, `FORBIDDEN`, `UNAVAILABLE`
   */
  identityOf(session: Session): Identity {
    using lease = this.#lease(session);
    return this.#identityOf(session.principal(), lease);
  }

  /** The spec of an operation as a session sees it; null where there is none. */
  specOf(session: Session, id: string): OperationSpec | null {
    using lease = this.#lease(session);
    return this.#aim(id, lease).spec;
  }

  /** Every operation that a session can ask for, whether it may call it or not. */
  specs(session: Session): readonly OperationSpec[] {
    using lease = this.#lease(session);
    const system = this.#systemOperations.list();
    if (lease === null) return system;
    const own = [...this.#tenantOperations.list(), ...lease.runtime.spokes.registry.list()];
    const ids = new Set(own.map(operationId));
    return [...own, ...system.filter((spec) => !ids.has(operationId(spec)))];
  }

  /** The specs of the hub itself, without those of spokes. */
  ownSpecs(): {
    readonly tenant: readonly OperationSpec[];
    readonly system: readonly OperationSpec[];
  } {
    return { tenant: this.#tenantOperations.list(), system: this.#systemOperations.list() };
  }

  /** Calls that run now, subscriptions left out. */
  get running(): number {
    return this.#running;
  }

  /** Takes no more calls; resolves when none runs any more, or after so many milliseconds. */
  async drain(ms: number): Promise<void> {
    this.#draining = true;
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    // the edges send the last answers
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Ends what runs and closes every file. Close the edges first. Always resolves; idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.runtimes.close();
    await this.services.close();
    this.tenants.close();
    this.auth.close();
    this.system.$client.close();
  }

  #isOwn(namespace: string): boolean {
    return [this.#tenantOperations, this.#systemOperations].some(
      (registry) => registry.list({ namespace }).length > 0,
    );
  }

  #lease({ orgId }: Session): RuntimeLease | null {
    if (this.closing) throw new CallError("UNAVAILABLE", "the hub is closing");
    return orgId === null ? null : this.runtimes.enter(orgId);
  }

  #aim(id: string, lease: RuntimeLease | null): Aim {
    if (lease !== null) {
      for (const registry of [this.#tenantOperations, lease.runtime.spokes.registry]) {
        const spec = registry.getSpec(id);
        if (spec !== null) return { registry, lease, spec };
      }
    }
    const registry = this.#systemOperations;
    return { registry, lease: null, spec: registry.getSpec(id) };
  }

  #admit(
    session: Session,
    { origin = null }: { readonly origin?: CallOrigin | null },
    { aim, report }: { readonly aim: Aim; readonly report: (code: string) => void },
  ): Admitted {
    try {
      const identity = this.#identityOf(session.principal(), aim.lease);
      const tenant = aim.lease?.runtime ?? null;
      const { services } = tenant ?? this;
      return { identity, place: { session, services, tenant, origin, reached: false } };
    } catch (error) {
      report(codeOf(error));
      throw error;
    }
  }

  /** What somebody may do where a call goes. @throws CallError `FORBIDDEN` */
  #identityOf(principal: Principal, lease: RuntimeLease | null): Identity {
    if (lease === null) return systemIdentity(principal, this.settings.membershipScopes);
    const identity = lease.runtime.identityOf(principal);
    if (identity !== null) return identity;
    throw new CallError("FORBIDDEN", "no access to this organisation");
  }

  #openSubscription(
    session: Session,
    { input, operationId: id, signal }: HubCall,
    { aim, place }: { readonly aim: Aim; readonly place: CallPlace },
  ): OpenSubscription {
    return place.services.subscriptions.open({
      signal,
      check: (principalOf) => {
        const identity = this.#identityOf(principalOf(session), aim.lease);
        const access = checkAccess(
          aim.spec?.accessControl ?? { requiredScopes: [] },
          identity,
          input,
        );
        if (!access.allowed) throw new CallError("ACCESS_DENIED", `${id}: ${access.reason}`);
      },
    });
  }

  #options(
    call: HubCall,
    { identity, place }: { readonly identity: Identity; readonly place: CallPlace },
  ): CallOptions & { readonly requestId: string } {
    const { requestId, parentRequestId, signal, deadline } = call;
    return {
      identity,
      requestId: requestId ?? crypto.randomUUID(),
      metadata: withPlace(call.metadata, place),
      ...(parentRequestId === undefined ? {} : { parentRequestId }),
      ...(signal === undefined ? {} : { signal }),
      ...(deadline === undefined ? {} : { deadline }),
    };
  }

  #registry(operations: readonly HubOperation[]): OperationRegistry {
    const { onError, limits } = this.settings;
    const registry = new OperationRegistry({
      onError: (error, { operationId: id, requestId }) =>
        onError(error, `call ${requestId} of ${id}`),
    });
    for (const one of operations) {
      const byDefault = one.operation.type === "subscription" ? undefined : limits.callTimeoutMs;
      const { timeoutMs = byDefault } = one;
      registry.registerAll(
        [journaled(one, { journalOf })],
        timeoutMs === undefined ? {} : { timeoutMs },
      );
    }
    return registry;
  }
}

/**
 * Opens the files of a hub, and makes them if they are not there.
 *
 * @throws HubError `INVALID_ARGUMENT`; what opening `system.db` throws
 * @example
 * ```ts
 * await using core = createHubCore({ dataFolder: "./data" });
 * const session = core.signIn({ bearer: key }, { org: "acme", source: "local" });
 * const { data } = await core.execute(session, { operationId: "graphs.list", input: {} });
 * ```
 */
export function createHubCore(options: HubOptions): HubCore {
  return new HubCore(resolveHubOptions(options));
}

function codeOf(error: unknown): string {
  return error instanceof CallError ? error.code : "UNKNOWN_ERROR";
}
