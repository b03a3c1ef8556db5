import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Milliseconds between two drops. */
const DROP_MS = 100;

/** Connections that mean no good; ended with the test. */
export class Hostile {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  readonly #drips: NodeJS.Timeout[] = [];

  constructor(port: number) {
    this.#port = port;
    onTestFinished(() => {
      for (const drip of this.#drips) clearInterval(drip);
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  /** Opens so many that say `first` and then one character after the other. */
  drip(count: number, first: string): void {
    const sockets = this.#connect(count, first);
    this.#drips.push(
      setInterval(() => {
        for (const socket of sockets) if (socket.writable) socket.write("x");
      }, DROP_MS),
    );
  }

  /** Opens so many that say `first`, and read nothing of what comes. */
  deaf(count: number, first: string): void {
    for (const socket of this.#connect(count, first)) socket.pause();
  }

  #connect(count: number, first: string): readonly Socket[] {
    return Array.from({ length: count }, () => {
      const socket = connect(this.#port, "127.0.0.1");
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.resume();
      if (first !== "") socket.write(first);
      return socket;
    });
  }
}
