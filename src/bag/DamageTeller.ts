import type { ProblemListener } from './BagFile.js';

/** Sentences that are kept so as not to be said again. */
const MAX_TOLD = 10_000;

/** A file is read more than once, for its index, its poses and its images: each of its damages is told once. */
export class DamageTeller {
  readonly #told = new Set<string>();

  once(onProblem: ProblemListener): ProblemListener {
    return (problem) => {
      if (this.#told.has(problem.message)) return;
      if (this.#told.size < MAX_TOLD) this.#told.add(problem.message);
      onProblem(problem);
    };
  }
}
