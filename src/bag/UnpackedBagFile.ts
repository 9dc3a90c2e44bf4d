import type { BagFile, BagMessage, BagTopic, ProblemListener } from './BagFile.js';

/** A bag file that was unpacked to a temporary place, which closing removes. */
export class UnpackedBagFile implements BagFile {
  /** Of the packed file. */
  readonly path: string;
  readonly #inner: BagFile;
  readonly #remove: () => Promise<void>;

  constructor(path: string, inner: BagFile, remove: () => Promise<void>) {
    this.path = path;
    this.#inner = inner;
    this.#remove = remove;
  }

  get storage(): BagFile['storage'] {
    return this.#inner.storage;
  }

  get topics(): readonly BagTopic[] {
    return this.#inner.topics;
  }

  get startNs(): bigint {
    return this.#inner.startNs;
  }

  get endNs(): bigint {
    return this.#inner.endNs;
  }

  messages(topics: readonly BagTopic[], onProblem: ProblemListener): AsyncIterable<BagMessage> {
    return this.#inner.messages(topics, onProblem);
  }

  async close(): Promise<void> {
    await this.#inner.close();
    await this.#remove();
  }
}
