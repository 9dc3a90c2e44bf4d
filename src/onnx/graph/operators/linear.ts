import type { Value } from '../GraphBuilder.js';
import { broadcastShapes, expectRank, expectShape, expectType, graphError, oneOutput, showShape } from './check.js';

/** Matrix product over the last two axes, leading axes broadcast. a: [..., M, K], b: [..., K, N]; returns [..., M, N]. */
export function matMul(a: Value, b: Value): Value {
  const [rows, inner] = a.shape.slice(-2);
  const [bInner, columns] = b.shape.slice(-2);
  if (rows === undefined || columns === undefined || inner !== bInner || a.dataType !== b.dataType)
    throw graphError('MatMul', 'inner sizes that agree', `${showShape(a.shape)} x ${showShape(b.shape)}`);
  const leading = broadcastShapes('MatMul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  return oneOutput('MatMul', [a, b], [...leading, rows, columns]);
}

/** x w^T + bias of a matrix. x: [M, K], weight: [N, K] as PyTorch's Linear stores it, bias: [N]; returns [M, N]. */
export function gemm(x: Value, weight: Value, bias?: Value): Value {
  expectRank('Gemm', x, 2);
  expectRank('Gemm', weight, 2);
  if (x.shape[1] !== weight.shape[1])
    throw graphError('Gemm', 'inner sizes that agree', `${showShape(x.shape)} x ${showShape(weight.shape)}^T`);
  if (bias !== undefined) expectShape('Gemm bias', bias, [weight.shape[0]!]);
  return oneOutput('Gemm', [x, weight, bias], [x.shape[0]!, weight.shape[0]!], { transB: { int: 1 } });
}

export interface ConvOptions {
  /** One for both axes. */
  readonly stride?: number;
  /** Zeros on each side: one for all, or [top, left, bottom, right]. */
  readonly padding?: number | readonly [number, number, number, number];
  readonly dilation?: number;
  readonly groups?: number;
}

function paddingOf(padding: ConvOptions['padding']): readonly [number, number, number, number] {
  if (padding === undefined) return [0, 0, 0, 0];
  return typeof padding === 'number' ? [padding, padding, padding, padding] : padding;
}

/** 2-d convolution. x: [B, C, H, W], weight: [out, C / groups, kH, kW], bias: [out]; returns [B, out, H', W']. */
export function conv(x: Value, weight: Value, bias?: Value, options: ConvOptions = {}): Value {
  expectType('Conv', x, 'float32', 'float16');
  expectRank('Conv', x, 4);
  expectRank('Conv', weight, 4);
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [out, inPerGroup, kernelHeight, kernelWidth] = weight.shape as [number, number, number, number];
  const { stride = 1, dilation = 1, groups = 1 } = options;
  const padding = paddingOf(options.padding);
  if (channels !== inPerGroup * groups || out % groups !== 0)
    throw graphError('Conv', `${inPerGroup * groups} channels`, `${showShape(x.shape)} (${x.name})`);
  if (bias !== undefined) expectShape('Conv bias', bias, [out]);
  const size = (input: number, kernel: number, pads: number): number =>
    Math.floor((input + pads - dilation * (kernel - 1) - 1) / stride) + 1;
  const shape = [
    batch,
    out,
    size(height, kernelHeight, padding[0] + padding[2]),
    size(width, kernelWidth, padding[1] + padding[3]),
  ];
  return oneOutput('Conv', [x, weight, bias], shape, {
    kernel_shape: { ints: [kernelHeight, kernelWidth] },
    strides: { ints: [stride, stride] },
    pads: { ints: padding },
    dilations: { ints: [dilation, dilation] },
    group: { int: groups },
  });
}
