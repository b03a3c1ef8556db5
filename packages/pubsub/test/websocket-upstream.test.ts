import { createInProcessEventTarget } from "@alkdev/pubsub";
import { eventually } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { envelope, startClient, startServer } from "./websocket-fixtures.ts";

describe("a WebSocket server with an upstream target (M23)", () => {
  it("gives clients what others dispatch upstream, and upstream what clients send", async () => {
    const upstream = createInProcessEventTarget();
    const { url } = await startServer({ upstream });
    const [a, b] = [startClient(url).target, startClient(url).target];
    const heard: string[] = [];
    for (const [name, client] of [
      ["a", a],
      ["b", b],
    ] as const) {
      client.addEventListener("t:1", (event) => void heard.push(`${name} ${event.detail.payload}`));
    }
    upstream.addEventListener("t:1", (event) => void heard.push(`hub ${event.detail.payload}`));
    await Promise.all([a.settled(), b.settled()]);

    upstream.dispatchEvent(envelope("t:1", "from the hub"));
    await eventually("all three heard the hub", () => heard.length === 3);
    a.dispatchEvent(envelope("t:1", "from a"));
    await eventually("all three heard a", () => heard.length === 6);
    await a.settled();
    expect(heard.toSorted()).toEqual(
      ["a", "b", "hub"].flatMap((name) => [`${name} from a`, `${name} from the hub`]),
    );
  });

  it("listens upstream to a topic while a client is subscribed, and no longer", async () => {
    const topics = new Set<string>();
    const inner = createInProcessEventTarget();
    const upstream: typeof inner = {
      ...inner,
      dispatchEvent: (event) => inner.dispatchEvent(event),
      addEventListener: (topic, callback) => {
        topics.add(topic);
        inner.addEventListener(topic, callback);
      },
      removeEventListener: (topic, callback) => {
        topics.delete(topic);
        inner.removeEventListener(topic, callback);
      },
    };
    const { url, target } = await startServer({ upstream });
    const [a, b] = [startClient(url).target, startClient(url).target];
    const listener = (): void => undefined;
    a.addEventListener("t:1", listener);
    b.addEventListener("t:1", listener);
    b.addEventListener("t:2", listener);
    await Promise.all([a.settled(), b.settled()]);
    expect([...topics].toSorted()).toEqual(["t:1", "t:2"]);
    a.removeEventListener("t:1", listener);
    await a.settled();
    expect(topics.has("t:1")).toBe(true);
    await b.close();
    await eventually("the topics of the closed client are released", () => topics.size === 0);
    a.addEventListener("t:3", listener);
    await a.settled();
    expect([...topics]).toEqual(["t:3"]);
    await target.close();
    expect(topics.size).toBe(0);
  });

  it("keeps private topics between a client and its connection, whoever else listens", async () => {
    const upstream = createInProcessEventTarget();
    const heard: string[] = [];
    const { url, target } = await startServer({
      upstream,
      relay: true,
      isPrivate: (topic) => topic.startsWith("call."),
      onConnection: (connection) => {
        connection.addEventListener("call.asked:1", (event) => {
          heard.push(`connection ${event.detail.payload}`);
          connection.dispatchEvent(envelope("call.answered:1", `to ${event.detail.payload}`));
        });
      },
    });
    const listen = (name: string) => (event: { detail: { payload: unknown } }) =>
      void heard.push(`${name} ${event.detail.payload}`);
    upstream.addEventListener("call.asked:1", listen("upstream"));
    target.addEventListener("call.asked:1", listen("target"));
    const [a, b] = [startClient(url).target, startClient(url).target];
    a.addEventListener("call.answered:1", listen("a"));
    b.addEventListener("call.answered:1", listen("b"));
    b.addEventListener("call.asked:1", listen("b"));
    await Promise.all([a.settled(), b.settled()]);
    a.dispatchEvent(envelope("call.asked:1", "a"));
    upstream.dispatchEvent(envelope("call.answered:1", "forged"));
    target.dispatchEvent(envelope("call.answered:1", "forged"));
    b.dispatchEvent(envelope("call.answered:1", "forged by b"));
    await eventually("a is answered", () => heard.includes("a to a"));
    await Promise.all([a.settled(), b.settled()]);
    expect(heard).toEqual(["connection a", "a to a"]);
  });
});
