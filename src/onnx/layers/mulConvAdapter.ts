import type { Value } from '../graph/GraphBuilder.js';
import { reshaped, stacked } from '../graph/lazyTensors.js';
import * as op from '../graph/operators.js';
import type { Tensor } from '../graph/Tensor.js';
import type { Network } from './Network.js';

/** Of the adapters' batch normalisations; PyTorch's own standard is 1e-5. */
const EPSILON = 1e-3;

/** Of the networks on DINOv2-B. */
export const ADAPTER_BASE = { inner: 384, branch1: 192, narrow: 24, wide: 96 } as const;
export const ADAPTER_LARGE = { inner: 512, branch1: 256, narrow: 32, wide: 128 } as const;

export interface AdapterSize {
  /** Channels between D_fc1 and D_fc2. */
  readonly inner: number;
  /** Channels of the 1x1 branch, of the narrow 1x1 convolutions before 3x3 and 5x5, and of those two branches. */
  readonly branch1: number;
  readonly narrow: number;
  readonly wide: number;
}

/**
 * SelaVPR++'s multi-scale convolution adapter. tokens: [1 + rows * columns, D], class token first; returns the same shape.
 * h = ReLU(D_fc1 u); b = 1x1, 1x1 -> 3x3 and 1x1 -> 5x5 convolutions of h's patches; out = D_fc2([h0; b] + h): the class
 * token is doubled, and u itself is not added. `scale`: [D], a factor of the result that is folded into D_fc2.
 */
export function mulConvAdapter(
  net: Network,
  tokens: Value,
  key: string,
  { inner, branch1, narrow, wide }: AdapterSize,
  rows: number,
  columns: number,
  options: { readonly scale?: Tensor } = {},
): Value {
  const patches = rows * columns;
  return net.graph.scoped(key, () => {
    const hidden = op.relu(net.linear(tokens, `${key}.D_fc1`, inner));
    const grid = op.slice(hidden, 0, 1, 1 + patches);
    // The three 1x1 convolutions read the same tokens: one matrix product, on [N, C] as it lies.
    const folded = (['branch1', 'branch2.0', 'branch3.0'] as const).map((branch, i) =>
      net.foldedConv(`${key}.${branch}.conv`, `${key}.${branch}.bn`, [i === 0 ? branch1 : narrow, inner, 1, 1], {
        epsilon: EPSILON,
        bias: true,
      }),
    );
    const out = branch1 + 2 * narrow;
    const weight = reshaped(stacked(folded.map(({ weight }) => weight)), [out, inner]);
    const mixed = op.relu(net.dense(grid, weight, stacked(folded.map(({ bias }) => bias))));
    const [first, second, third] = op.split(mixed, 1, [branch1, narrow, narrow]) as [Value, Value, Value];
    const spatial = (x: Value, branch: string, kernel: number): Value => {
      const image = op.reshape(op.transpose(x, [1, 0]), [1, narrow, rows, columns]);
      const convolved = net.convBn(image, `${branch}.conv`, `${branch}.bn`, wide, kernel, {
        epsilon: EPSILON,
        bias: true,
        padding: (kernel - 1) / 2,
      });
      return op.transpose(op.reshape(op.relu(convolved), [wide, patches]), [1, 0]);
    };
    const branches = op.concat(
      [first, spatial(second, `${key}.branch2.1`, 3), spatial(third, `${key}.branch3.1`, 5)],
      1,
    );
    const combined = op.concat([op.slice(hidden, 0, 0, 1), branches], 0);
    return net.linear(op.add(combined, hidden), `${key}.D_fc2`, tokens.shape[1]!, options);
  });
}
