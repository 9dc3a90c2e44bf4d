import type { RosLogger } from './RosApi.js';

/** The node's log, with warnings that repeat themselves at most every few seconds. */
export class NodeLog {
  readonly #logger: RosLogger;
  readonly #nowMs: () => number;
  readonly #lastMs = new Map<string, number>();

  constructor(logger: RosLogger, nowMs: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  debug(text: string): void {
    this.#logger.debug(text);
  }

  info(text: string): void {
    this.#logger.info(text);
  }

  warn(text: string): void {
    this.#logger.warn(text);
  }

  error(text: string): void {
    this.#logger.error(text);
  }

  /** topic: what the warnings of one kind have in common. */
  warnEvery(topic: string, periodMs: number, text: string): void {
    const now = this.#nowMs();
    const last = this.#lastMs.get(topic);
    if (last !== undefined && now - last < periodMs) return;
    this.#lastMs.set(topic, now);
    this.#logger.warn(text);
  }
}
