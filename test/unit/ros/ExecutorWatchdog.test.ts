import { expect } from 'chai';
import { ExecutorWatchdog } from '../../../src/ros/ExecutorWatchdog.js';

const PERIOD_MS = 5;
const LONGEST_SILENCE_MS = 50;

/** An executor that answers guard conditions until it is told not to. */
class Executor {
  answers = true;
  triggered = 0;

  createGuardCondition(callback: () => void): { trigger(): void } {
    return {
      trigger: () => {
        this.triggered++;
        if (this.answers) setImmediate(callback);
      },
    };
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('ExecutorWatchdog', () => {
  let executor: Executor;
  let watchdog: ExecutorWatchdog;
  let sentences: string[];
  beforeEach(() => {
    executor = new Executor();
    sentences = [];
    watchdog = new ExecutorWatchdog(executor, (sentence) => sentences.push(sentence), {
      periodMs: PERIOD_MS,
      longestSilenceMs: LONGEST_SILENCE_MS,
    });
  });
  afterEach(() => watchdog.close());

  it('says once that the executor no longer answers', async () => {
    while (executor.triggered === 0) await pause(PERIOD_MS);
    executor.answers = false;
    while (sentences.length === 0) await pause(PERIOD_MS);
    const { triggered } = executor;
    expect(triggered).to.be.at.least(LONGEST_SILENCE_MS / PERIOD_MS);
    await pause(2 * LONGEST_SILENCE_MS);
    expect(sentences).to.have.length(1);
    expect(sentences[0]).to.include('Expected an answer of the ROS executor within 0.05 s, got none');
    expect(executor.triggered).to.equal(triggered);
  });

  it('takes a blocked event loop for what it is', async () => {
    while (executor.triggered === 0) await pause(PERIOD_MS);
    const endMs = performance.now() + 3 * LONGEST_SILENCE_MS;
    while (performance.now() < endMs);
    await pause(4 * PERIOD_MS);
    expect(sentences).to.deep.equal([]);
  });
});
