import { requireInteger } from "../errors.ts";
import { BufferedSubscription, type BufferOptions, type Subscription } from "../subscription.ts";
import { start } from "./stage.ts";

/** The values of one key. */
export interface Group<K, A> extends Subscription<A> {
  readonly key: K;
}

/** Options of {@link groupBy}. */
export interface GroupByOptions {
  /**
   * Groups open at once, and groups that wait to be taken. Default 1,000. One more ends the group
   * that had no value for longest; a later value of its key opens a new group.
   */
  readonly maxGroups?: number;
  /** Buffer of each group. Default 1,000 values, then the group ends with `BUFFER_OVERFLOW`. */
  readonly buffer?: BufferOptions;
}

/**
 * Splits a sequence by key. Each new key gives a {@link Group}; its values are read from the group.
 * The source is read while somebody waits for a group or for a value of one; values for groups nobody
 * reads collect in their buffers. A group you left is skipped, the others go on; leaving the
 * sequence of groups cancels the source and ends all groups after what they have buffered.
 *
 * @throws {@link PubSubError} `INVALID_ARGUMENT`
 */
export function groupBy<A, K>(
  key: (value: A) => K,
  { maxGroups = 1_000, buffer = {} }: GroupByOptions = {},
): (source: AsyncIterable<A>) => Subscription<Group<K, A>> {
  requireInteger(maxGroups, "groupBy: maxGroups", 1);
  return (source) => {
    const input = start(source);
    const open = new Map<K, BufferedSubscription<A>>();
    let waiting = 0;
    let pumping = false;

    const endAll = (failure?: { readonly error: unknown }): void => {
      for (const group of open.values()) group.end(failure);
      open.clear();
      groups.end(failure);
    };
    const groups = new BufferedSubscription<Group<K, A>>({ capacity: maxGroups }, () => {
      endAll();
      void input.cancel().catch(() => undefined);
    });
    const groupOf = (id: K): BufferedSubscription<A> => {
      let group = open.get(id);
      open.delete(id);
      if (group === undefined) {
        group = new BufferedSubscription<A>({ capacity: 1_000, ...buffer }, () => undefined);
        void groups.push(Object.assign(onDemand(group), { key: id }));
      }
      open.set(id, group);
      return group;
    };
    const place = (value: A): void => {
      // with `wait` the group's buffer bounds the values; nobody here waits for the confirmation
      groupOf(key(value))
        .push(value)
        ?.catch(() => undefined);
      for (const [oldest, group] of open) {
        if (open.size <= maxGroups) return;
        open.delete(oldest);
        group.end();
      }
    };
    const pump = async (): Promise<void> => {
      if (pumping) return;
      pumping = true;
      try {
        while (waiting > 0 && !groups.ended) {
          const result = await input.next();
          if (result.done) endAll();
          else place(result.value);
        }
      } catch (error) {
        endAll({ error });
      } finally {
        pumping = false;
      }
    };
    const onDemand = <T>(queue: BufferedSubscription<T>): Subscription<T> => ({
      async next() {
        waiting += 1;
        try {
          const result = queue.next();
          if (queue.wanted) void pump();
          return await result;
        } finally {
          waiting -= 1;
        }
      },
      return: () => queue.return(),
      [Symbol.asyncIterator]() {
        return this;
      },
      [Symbol.asyncDispose]: async () => {
        await queue.return();
      },
    });
    return onDemand(groups);
  };
}
