import { open } from "@alkdev/honker";
import { createCompositeEventTarget, createHonkerEventTarget } from "@alkdev/storage/sqlite";
import { tempDatabase } from "@alkdev/testkit";
import { describeEventTarget } from "@alkdev/testkit/event-target-suite";

const targets = { createHonkerEventTarget, createCompositeEventTarget };

for (const [name, create] of Object.entries(targets)) {
  describeEventTarget({
    name: `${name}, ephemeral`,
    capabilities: {},
    create: async (onError) => {
      const target = create({ db: tempDatabase(), mode: "ephemeral", onError });
      return { publisher: target, subscriber: target, close: () => target.close() };
    },
  });

  describeEventTarget({
    name: `${name}, ephemeral with a prefix`,
    capabilities: {},
    create: async (onError) => {
      const target = create({ db: tempDatabase(), mode: "ephemeral", prefix: "a", onError });
      return { publisher: target, subscriber: target, close: () => target.close() };
    },
  });

  describeEventTarget({
    name: `${name}, durable`,
    capabilities: { redelivers: true },
    create: async (onError) => {
      const db = tempDatabase();
      const target = create({
        db,
        mode: "durable",
        streamName: "events",
        consumerName: "test:1:suite",
        retryDelayMs: 1,
        onError,
      });
      return { publisher: target, subscriber: target, close: () => target.close() };
    },
  });

  describeEventTarget({
    name: `${name}, durable, two targets of one file`,
    capabilities: { redelivers: true },
    create: async (onError) => {
      const db = tempDatabase();
      const other = open(db.path);
      const shared = { mode: "durable", streamName: "events", retryDelayMs: 1, onError } as const;
      const publisher = create({ ...shared, db, consumerName: "test:1:publisher" });
      const subscriber = create({ ...shared, db: other, consumerName: "test:1:subscriber" });
      return {
        publisher,
        subscriber,
        close: () => {
          publisher.close();
          subscriber.close();
          other.close();
        },
      };
    },
  });
}
