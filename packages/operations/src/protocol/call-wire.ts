import {
  type EnvelopeEvent,
  type EnvelopeOf,
  isEventEnvelope,
  type TypedEventTarget,
  topicOf,
} from "@alkdev/pubsub";
import { OperationsError } from "../errors.ts";
import { validatorOf } from "../schema/validator.ts";
import { type CallEvents, callEventSchemas } from "./call-events.ts";
import type { CallErrorReporter } from "./report-call-error.ts";

export type CallEventType = keyof CallEvents;

/** A call event that arrived and fits its schema. */
export type CallEnvelope = EnvelopeOf<CallEvents, CallEventType>;

/** Listens to call events; the same function may serve many topics. */
export type CallListener = (event: EnvelopeEvent) => unknown;

/** One side's end of an event target: sends call events, and tells those that are well formed. */
export class CallWire {
  readonly #target: TypedEventTarget;
  readonly #report: CallErrorReporter;
  #malformed = 0;

  constructor(target: TypedEventTarget, report: CallErrorReporter) {
    this.#target = target;
    this.#report = report;
  }

  /** Events that arrived and could not be understood. */
  get malformed(): number {
    return this.#malformed;
  }

  /** Throws what the target refuses. */
  send<Type extends CallEventType>(type: Type, id: string, payload: CallEvents[Type]): void {
    this.#target.dispatchEvent(
      new CustomEvent(topicOf(type, id), { detail: { type, id, payload } }),
    );
  }

  /** As {@link send}, but what the target refuses is reported. For what nobody waits for. */
  trySend<Type extends CallEventType>(type: Type, id: string, payload: CallEvents[Type]): boolean {
    try {
      this.send(type, id, payload);
      return true;
    } catch (error) {
      this.#report(error, `sending ${type} of request ${payload.requestId}`);
      return false;
    }
  }

  /** Listens to all of the types, or, where the target refuses one, to none. */
  listen(types: readonly CallEventType[], id: string, listener: CallListener): void {
    try {
      for (const type of types) this.#target.addEventListener(topicOf(type, id), listener);
    } catch (error) {
      this.unlisten(types, id, listener);
      throw error;
    }
  }

  unlisten(types: readonly CallEventType[], id: string, listener: CallListener): void {
    for (const type of types) this.#target.removeEventListener(topicOf(type, id), listener);
  }

  /** The envelope of an event, or `null`, counted and reported, if it is none of ours or malformed. */
  read({ type: topic, detail }: EnvelopeEvent): CallEnvelope | null {
    const problem = problemOf(topic, detail);
    if (problem === null) return detail as CallEnvelope;
    this.#malformed += 1;
    this.#report(
      new OperationsError("MALFORMED_EVENT", `an event on "${topic}" was ignored: ${problem}`, {
        details: { topic },
      }),
      "a call event",
    );
    return null;
  }
}

function problemOf(topic: string, detail: unknown): string | null {
  if (!isEventEnvelope(detail)) return "it is no envelope";
  const { type, id, payload } = detail;
  if (topicOf(type, id) !== topic) return `its envelope belongs on "${topicOf(type, id)}"`;
  if (!Object.hasOwn(callEventSchemas, type)) return `"${type}" is no call event`;
  const validator = validatorOf(callEventSchemas[type as CallEventType]);
  if (validator.check(payload)) return null;
  const [first] = validator.issues(payload);
  return `"${first?.path}" ${first?.message}`;
}
