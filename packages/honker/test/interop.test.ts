import { engineModes, tempDatabase } from "@alkdev/testkit";
import { describe, expect, it } from "vitest";
import { startNativePeer } from "./native-peer.ts";

describe.each(engineModes)("beside Honker's native binding, $mode (M12)", ({ extension }) => {
  it("notifications cross both ways", async () => {
    const db = tempDatabase({ extension });
    const peer = await startNativePeer(db.path);
    const listener = db.listen("c");
    await peer.notify("c", { from: "native" });
    expect((await listener.next()).value?.payload).toEqual({ from: "native" });

    const update = peer.nextUpdate();
    db.transaction((tx) => tx.notify("d", { from: "here" }));
    await update;
    expect(
      await peer.query("SELECT payload FROM _honker_notifications WHERE channel = 'd'"),
    ).toEqual([{ payload: '{"from":"here"}' }]);
  });

  it("a notification rolled back here is never seen there", async () => {
    const db = tempDatabase({ extension });
    const peer = await startNativePeer(db.path);
    expect(() =>
      db.transaction((tx) => {
        tx.notify("c", 1);
        throw new Error("undo");
      }),
    ).toThrow();
    expect(await peer.query("SELECT count(*) AS n FROM _honker_notifications")).toEqual([{ n: 0 }]);
  });
});
