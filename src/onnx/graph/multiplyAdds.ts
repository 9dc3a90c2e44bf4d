import type { GraphBuilder, GraphNode } from './GraphBuilder.js';
import { elementCount } from './Tensor.js';

type ShapeOf = (name: string) => readonly number[];

/** By operator: multiplications with an addition behind them. Element by element operators count as none. */
const COUNTS: Readonly<Record<string, (node: GraphNode, shape: ShapeOf) => number>> = {
  // [out, in / groups, kH, kW] for each output pixel of each channel
  Conv: ({ inputs, outputs }, shape) => elementCount(shape(outputs[0]!)) * elementCount(shape(inputs[1]!).slice(1)),
  Gemm: ({ inputs, outputs }, shape) => elementCount(shape(outputs[0]!)) * shape(inputs[0]!).at(-1)!,
  MatMul: ({ inputs, outputs }, shape) => elementCount(shape(outputs[0]!)) * shape(inputs[0]!).at(-1)!,
  DynamicQuantizeMatMul: ({ inputs, outputs }, shape) => elementCount(shape(outputs[0]!)) * shape(inputs[0]!).at(-1)!,
  // x [1, N, D] times [D, 3 D], then as below
  Attention: ({ inputs, outputs }, shape) =>
    elementCount(shape(outputs[0]!)) * (shape(inputs[1]!)[1]! + 2 * shape(inputs[0]!)[1]!),
  // q k^T and its softmax times v: [1, M, D], [1, N, D]
  MultiHeadAttention: ({ inputs, outputs }, shape) => 2 * elementCount(shape(outputs[0]!)) * shape(inputs[1]!)[1]!,
};

/** Multiply-adds of one run of a graph, from its shapes: convolutions, matrix products and attention. */
export function multiplyAdds(graph: GraphBuilder): number {
  const shape: ShapeOf = (name) => graph.shapes.get(name)!;
  return graph.nodes.reduce((sum, node) => sum + (COUNTS[node.opType]?.(node, shape) ?? 0), 0);
}
