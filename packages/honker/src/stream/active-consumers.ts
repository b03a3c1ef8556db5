import { HonkerError } from "../errors.ts";

/**
 * Which consumers have a live subscription in this process, since two would overwrite each other's
 * offset, and which groups of this process wait for an acknowledgement.
 */
export class ActiveConsumers {
  readonly #active = new Set<string>();
  readonly #blocked = new Set<string>();

  /** @returns a function that gives the name free. @throws `CONSUMER_ACTIVE` */
  claim(topic: string, consumer: string): () => void {
    this.requireIdle(topic, consumer);
    const id = idOf(topic, consumer);
    this.#active.add(id);
    return () => void this.#active.delete(id);
  }

  /** The group holds as many events as it may; its members wait. */
  block(topic: string, group: string): void {
    this.#blocked.add(idOf(topic, group));
  }

  /** Whether members of the group were waiting; they no longer do. */
  unblock(topic: string, group: string): boolean {
    return this.#blocked.delete(idOf(topic, group));
  }

  /** @throws `CONSUMER_ACTIVE` */
  requireIdle(topic: string, consumer: string): void {
    if (!this.#active.has(idOf(topic, consumer))) return;
    throw new HonkerError(
      "CONSUMER_ACTIVE",
      `consumer "${consumer}" of stream "${topic}" already has a subscription in this process`,
      {
        hint: "Close it first, use another consumer name, or share the work with stream.group()",
        details: { topic, consumer },
      },
    );
  }
}

/** Names may hold any character, so they are told apart by the length of the first. */
function idOf(topic: string, consumer: string): string {
  return `${topic.length}:${topic}${consumer}`;
}
