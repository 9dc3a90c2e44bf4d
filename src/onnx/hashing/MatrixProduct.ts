import { GraphBuilder } from '../graph/GraphBuilder.js';
import { gemm, matMul, transpose } from '../graph/operators.js';
import { encodeModel } from '../graph/writeModel.js';

/** Dense, row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** Which product of a and b: as they are, with a transposed, with b transposed. */
export type ProductKind = 'a b' | 'aT b' | 'a bT';

/** A fit is nearly all products, a hundred times faster in ONNX Runtime than in JavaScript: whoever fits brings one. */
export type MatrixProduct = (kind: ProductKind, a: Matrix, b: Matrix) => Promise<Matrix>;

/** [rows, columns] of a product. Throws RangeError for sizes that do not fit. */
export function productSize(kind: ProductKind, a: Matrix, b: Matrix): readonly [number, number] {
  const [rows, inner] = kind === 'aT b' ? [a.columns, a.rows] : [a.rows, a.columns];
  const [bInner, columns] = kind === 'a bT' ? [b.columns, b.rows] : [b.rows, b.columns];
  if (inner !== bInner)
    throw new RangeError(
      `Expected inner sizes that agree for '${kind}', got [${a.rows}, ${a.columns}] and [${b.rows}, ${b.columns}]`,
    );
  return [rows, columns];
}

/** ONNX model of one product of matrices of these sizes: inputs 'a' and 'b', output 'product'. */
export function productGraph(kind: ProductKind, a: Matrix, b: Matrix): Uint8Array {
  productSize(kind, a, b);
  const graph = new GraphBuilder('product');
  const left = graph.input('a', 'float32', [a.rows, a.columns]);
  const right = graph.input('b', 'float32', [b.rows, b.columns]);
  const product = {
    'a b': () => matMul(left, right),
    'aT b': () => matMul(transpose(left, [1, 0]), right),
    'a bT': () => gemm(left, right),
  }[kind]();
  graph.output('product', product);
  return encodeModel(graph);
}
