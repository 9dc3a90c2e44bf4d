import { CODE_BITS } from '../../core/binaryCode.js';
import { mulberry32 } from '../../core/mulberry32.js';
import type { GraphBuilder } from '../graph/GraphBuilder.js';
import * as op from '../graph/operators.js';

const SEED = 512;

/**
 * Adds the output `hash` [1, 512] to a float-only network: random signs times the descriptor. Codes of such projections
 * keep the angles between descriptors (Johnson and Lindenstrauss) and need no data; `vpr model fit-hash` does better.
 */
export function addSeededHash(graph: GraphBuilder): void {
  const descriptor = graph.outputs.find(({ name }) => name === 'descriptor');
  if (descriptor === undefined) throw new RangeError('Expected a graph with an output descriptor');
  const dimension = descriptor.shape[1]!;
  const read = (): Uint8Array => {
    const next = mulberry32(SEED);
    const signs = Int8Array.from({ length: dimension * CODE_BITS }, () => (next() >>> 31 === 1 ? 1 : -1));
    return new Uint8Array(signs.buffer);
  };
  // One byte a sign: ONNX Runtime makes floats of them when it loads the graph.
  const signs = graph.constant('projection', { dataType: 'int8', shape: [dimension, CODE_BITS], read });
  graph.output('hash', op.matMul(descriptor, op.cast(signs, 'float32')));
}
