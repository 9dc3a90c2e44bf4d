import { messageOf, VprError } from '../../core/VprError.js';
import type { Checkpoint } from '../checkpoint/Checkpoint.js';
import { WeightReader } from '../layers/WeightReader.js';
import type { Architecture } from './Architecture.js';
import { ARCHITECTURES } from './architectures.js';

export interface Guess {
  /** The architecture whose keys and shapes are exactly the checkpoint's. */
  readonly architecture: Architecture;
  /** Others whose keys and shapes are the same: only the user can tell. */
  readonly runnersUp: readonly Architecture[];
}

/**
 * Tells an architecture by building its graph from the checkpoint, which reads no weights. Throws CHECKPOINT_INVALID naming
 * the nearest one and what it misses when none fits.
 */
export function guessArchitecture(checkpoint: Checkpoint): Guess {
  const fitting: Architecture[] = [];
  let nearest: { readonly architecture: Architecture; readonly used: number; readonly error: unknown } | undefined;
  for (const architecture of ARCHITECTURES) {
    const weights = new WeightReader(checkpoint);
    try {
      architecture.build(weights, { precision: 'fp32', attention: 'fused' });
      fitting.push(architecture);
    } catch (error) {
      if (nearest === undefined || weights.usedCount > nearest.used)
        nearest = { architecture, used: weights.usedCount, error };
    }
  }
  const [architecture, ...runnersUp] = fitting;
  if (architecture === undefined)
    throw new VprError(
      'CHECKPOINT_INVALID',
      `Expected a checkpoint of a known network, got one of none; the nearest is ${nearest!.architecture.name}: ` +
        messageOf(nearest!.error),
    );
  return { architecture, runnersUp };
}
