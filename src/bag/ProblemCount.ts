import type { VprError, VprErrorCode } from '../core/VprError.js';
import type { SourceProblems } from './ImageSource.js';

const MAX_KEPT = 20;

/** Counts problems, keeps the first few, passes each on. */
export class ProblemCount implements SourceProblems {
  readonly #byCode = new Map<VprErrorCode, number>();
  readonly #first: VprError[] = [];
  readonly #listener: ((problem: VprError) => void) | undefined;
  #count = 0;

  constructor(listener: ((problem: VprError) => void) | undefined) {
    this.#listener = listener;
  }

  readonly add = (problem: VprError): void => {
    this.#count++;
    this.#byCode.set(problem.code, (this.#byCode.get(problem.code) ?? 0) + 1);
    if (this.#first.length < MAX_KEPT) this.#first.push(problem);
    this.#listener?.(problem);
  };

  get count(): number {
    return this.#count;
  }

  get byCode(): ReadonlyMap<VprErrorCode, number> {
    return this.#byCode;
  }

  get first(): readonly VprError[] {
    return this.#first;
  }
}
