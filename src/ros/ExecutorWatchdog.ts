import type { RosNode } from './RosApi.js';

const PERIOD_MS = 1_000;
/** Longer than a machine under heavy load keeps a thread waiting. */
const LONGEST_SILENCE_MS = 10_000;

/**
 * Notices when the executor no longer answers: rclnodejs waits for ROS in a thread of its own, and an error there (rcl_wait
 * failed) ends that thread and nothing else. Timers and the worker go on, and no message or request is heard again.
 *
 * A guard condition goes the way that every message goes, so that what it does not answer nothing does.
 */
export class ExecutorWatchdog {
  readonly #timer: NodeJS.Timeout;
  /** Looks since the last answer: a blocked event loop takes as many looks from the watchdog as answers from the executor. */
  #unanswered = 0;

  /** onDeaf: called once, with what happened. */
  constructor(
    node: Pick<RosNode, 'createGuardCondition'>,
    onDeaf: (sentence: string) => void,
    { periodMs = PERIOD_MS, longestSilenceMs = LONGEST_SILENCE_MS } = {},
  ) {
    const guard = node.createGuardCondition(() => (this.#unanswered = 0));
    this.#timer = setInterval(() => {
      if (this.#unanswered * periodMs >= longestSilenceMs) {
        this.close();
        onDeaf(
          `Expected an answer of the ROS executor within ${longestSilenceMs / 1000} s, got none: it no longer hears ROS`,
        );
        return;
      }
      this.#unanswered++;
      guard.trigger();
    }, periodMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
