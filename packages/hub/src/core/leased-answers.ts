import { CallError, type OperationAnswers, type ResponseEnvelope } from "@alkdev/operations";

type Step = IteratorResult<ResponseEnvelope, undefined>;

/** What {@link LeasedAnswers} keeps, and whom it tells. */
export interface LeasedAnswersOptions {
  /** Kept in use until the end. */
  readonly lease: Disposable | null;
  /** Called once, with `ok` or the code of what ended them. */
  readonly onEnd: (code: string) => void;
}

/** Answers that keep something in use until they end. */
export class LeasedAnswers implements OperationAnswers {
  readonly #answers: OperationAnswers;
  readonly #options: LeasedAnswersOptions;
  #ended = false;

  constructor(answers: OperationAnswers, options: LeasedAnswersOptions) {
    this.#answers = answers;
    this.#options = options;
  }

  async next(): Promise<Step> {
    try {
      const step = await this.#answers.next();
      if (step.done === true) this.#end("ok");
      return step;
    } catch (error) {
      this.#end(error instanceof CallError ? error.code : "UNKNOWN_ERROR");
      throw error;
    }
  }

  async return(): Promise<Step> {
    try {
      return await this.#answers.return();
    } finally {
      this.#end("ok");
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #end(code: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.lease?.[Symbol.dispose]();
    this.#options.onEnd(code);
  }
}
