import { CallError, type OperationAnswers, type ResponseEnvelope } from "@alkdev/operations";

type Step = IteratorResult<ResponseEnvelope, undefined>;

/** Called once, with `ok` or the code of what ended the answers. */
type OnEnd = (code: string) => void;

/** Answers that tell when they have ended, however they do. */
export class ReportedAnswers implements OperationAnswers {
  readonly #answers: OperationAnswers;
  #onEnd: OnEnd | null;

  constructor(answers: OperationAnswers, onEnd: OnEnd) {
    this.#answers = answers;
    this.#onEnd = onEnd;
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
    const onEnd = this.#onEnd;
    this.#onEnd = null;
    onEnd?.(code);
  }
}
