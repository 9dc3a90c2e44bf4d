import { VprError } from '../../core/VprError.js';
import type { Checkpoint, CheckpointTensor } from './Checkpoint.js';
import { BARE_TENSOR } from './openCheckpoint.js';

/**
 * A backbone's own checkpoint and a vocabulary that another file holds, as one: keys `backbone.*` and `vocabulary` [K, D].
 * Closing it closes both. Throws CHECKPOINT_INVALID for a vocabulary file of anything but one matrix.
 */
export function withVocabulary(backbone: Checkpoint, vocabulary: Checkpoint): Checkpoint {
  const words = vocabulary.tensors.get(BARE_TENSOR);
  if (words === undefined || vocabulary.tensors.size !== 1 || words.shape.length !== 2)
    throw new VprError(
      'CHECKPOINT_INVALID',
      `Expected one matrix of words (torch.save of a tensor), got ${vocabulary.tensors.size} tensors [${vocabulary.name}]`,
    );
  const tensors = new Map<string, CheckpointTensor>([['vocabulary', words]]);
  for (const [key, tensor] of backbone.tensors) tensors.set(`backbone.${key}`, tensor);
  return {
    name: `${backbone.name}, ${vocabulary.name}`,
    tensors,
    close() {
      backbone.close();
      vocabulary.close();
    },
  };
}
