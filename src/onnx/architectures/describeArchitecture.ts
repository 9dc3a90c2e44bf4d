import { multiplyAdds } from '../graph/multiplyAdds.js';
import { RandomWeights } from '../layers/RandomWeights.js';
import type { Architecture } from './Architecture.js';

export interface ArchitectureFigures {
  /** D of the form that the figures describe. */
  readonly dimension: number;
  /** Elements of the tensors that the network takes from a checkpoint. */
  readonly parameters: number;
  /** Of one image at the network's own input size. */
  readonly multiplyAdds: number;
}

/** Sizes of a network in the form that its `variant` states, from its graph at its own input size; no weight is computed. */
export function describeArchitecture(architecture: Architecture): ArchitectureFigures {
  const weights = new RandomWeights(architecture.variant);
  const graph = architecture.build(weights, { precision: 'fp32', attention: 'fused' });
  const descriptor = graph.outputs.find(({ name }) => name === 'descriptor')!;
  return {
    dimension: descriptor.shape[1]!,
    parameters: weights.parameters,
    multiplyAdds: multiplyAdds(graph),
  };
}
