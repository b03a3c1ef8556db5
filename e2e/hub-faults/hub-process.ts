import { join } from "node:path";
import { tempFolder } from "@alkdev/testkit";
import { prepareHub } from "../hub-spoke/prepare.ts";
import { Child } from "../reliability/child.ts";

/** A hub in a process of its own that keeps its address when it is killed and started again. */
export class HubProcess {
  readonly dataFolder: string = join(tempFolder(), "data");
  readonly key: string = prepareHub(this.dataFolder);
  readonly #limits: object;
  #port = 0;
  #child: Child | null = null;

  constructor(limits: object = {}) {
    this.#limits = limits;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const args = [this.dataFolder, this.#port, JSON.stringify(this.#limits)];
    this.#child = new Child("../../hub-spoke/children/hub.ts", args);
    this.#port = Number(new URL((await this.#child.line("listening")).slice(10)).port);
  }

  async kill(): Promise<void> {
    await this.#child?.kill();
  }

  async stop(): Promise<void> {
    this.#child?.signal("SIGTERM");
    await this.#child?.exited;
  }
}
