// Consumes a stream and writes each effect, exactly once or at least once; it may kill itself between
// the effect and the offset. Arguments: path, extension, mode, payload at which to die.
import { open } from "@alkdev/honker";

const [path, extension, mode, dieAt] = process.argv.slice(2) as [string, string, string, string];
const db = open(path, { extension });
const stream = db.stream<number>("work");
const die = (payload: number): void => {
  if (payload === Number(dieAt)) process.kill(process.pid, "SIGKILL");
};
const effect = "INSERT INTO effects (payload) VALUES (?)";

if (mode === "group") {
  const group = stream.group("workers", { ackDeadlineSeconds: 0.3 });
  for await (const delivery of group.join(`member-${process.pid}`)) {
    db.transaction((tx) => {
      tx.execute(effect, [delivery.payload]);
      die(delivery.payload);
      delivery.ackTx(tx);
    });
  }
} else {
  const exactly = mode === "exactly-once";
  const options = exactly ? { saveEveryN: 0, saveEverySeconds: 0 } : { saveEveryN: 10 };
  const events = stream.subscribe("worker", options);
  process.send?.("ready");
  for await (const { payload, offset } of events) {
    db.transaction((tx) => {
      tx.execute(effect, [payload]);
      if (exactly) {
        die(payload);
        stream.saveOffsetTx(tx, "worker", offset);
      }
    });
    if (!exactly) die(payload);
  }
}
