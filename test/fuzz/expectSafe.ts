import { VprError } from '../../src/core/VprError.js';
import { mulberry32 } from '../../src/core/mulberry32.js';
import { mutate } from './mutations.js';

/** Another seed, or more of it: VPR_FUZZ_SEED, VPR_FUZZ_FACTOR. */
const SEED = Number(process.env['VPR_FUZZ_SEED'] ?? 1);
const FACTOR = Number(process.env['VPR_FUZZ_FACTOR'] ?? 1);
/** A mutated input is a few kilobytes: more processor time than this is a loop, more memory an allocation by a header. */
const MAX_CASE_MS = 5000;
const MAX_GROWTH_BYTES = 1_500_000_000;

/**
 * Feeds `count` mutations of the samples to `use`, which may succeed or throw a VprError with a one-line sentence; anything
 * else is a bug, named by its case number and seed. Returns how many were refused.
 */
export async function expectSafe(
  samples: readonly Uint8Array[],
  count: number,
  use: (bytes: Uint8Array, sample: number) => unknown,
): Promise<number> {
  const before = process.memoryUsage().rss;
  let refused = 0;
  for (let i = 0; i < count * FACTOR; i++) {
    const random = mulberry32(SEED * 1_000_003 + i);
    const sample = random() % samples.length;
    const bytes = mutate(samples[sample]!, random);
    // Processor time: on a busy machine the wall clock says nothing of the code.
    const started = process.cpuUsage();
    const fail = (what: string, cause?: unknown): never => {
      throw new Error(`Case ${i} of seed ${SEED} (sample ${sample}): ${what}`, { cause });
    };
    try {
      await use(bytes, sample);
    } catch (error) {
      refused++;
      if (!(error instanceof VprError)) fail(`expected a VprError, got ${String(error)}`, error);
      else if (error.message.includes('\n')) fail(`expected one line, got '${error.message}'`, error);
    }
    const { user, system } = process.cpuUsage(started);
    const tookMs = (user + system) / 1000;
    if (tookMs > MAX_CASE_MS) fail(`expected an end within ${MAX_CASE_MS} ms, got ${tookMs.toFixed(0)}`);
    if (i % 200 === 0 && process.memoryUsage().rss - before > MAX_GROWTH_BYTES)
      fail(`expected memory to grow by less than ${MAX_GROWTH_BYTES}, got ${process.memoryUsage().rss - before}`);
  }
  return refused;
}
