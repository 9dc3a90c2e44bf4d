import { openGraph, type GraphRun } from '../inference/openGraph.js';
import { productGraph, productSize, type Matrix, type MatrixProduct } from '../onnx/hashing/MatrixProduct.js';

/** Products of matrices in ONNX Runtime, one graph for each kind and size, opened when it is first asked for. */
export function createMatrixProduct(): MatrixProduct {
  const graphs = new Map<string, Promise<GraphRun>>();
  const input = ({ rows, columns, values }: Matrix) => ({ values, shape: [rows, columns] });
  return async (kind, a, b) => {
    const [rows, columns] = productSize(kind, a, b);
    const key = [kind, a.rows, a.columns, b.rows, b.columns].join(' ');
    let graph = graphs.get(key);
    if (graph === undefined) graphs.set(key, (graph = openGraph(productGraph(kind, a, b))));
    return { rows, columns, values: await (await graph)({ a: input(a), b: input(b) }) };
  };
}
