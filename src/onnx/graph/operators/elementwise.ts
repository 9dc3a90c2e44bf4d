import { dataTypeCode, type DataType } from '../DataType.js';
import type { Value } from '../GraphBuilder.js';
import { broadcastShapes, graphError, oneOutput } from './check.js';

/** A value, or a number that becomes a scalar constant. */
export type Operand = Value | number;

function binary(opType: string, a: Value, b: Operand): Value {
  const right = typeof b === 'number' ? a.graph.float(b, a.dataType === 'float16' ? 'float16' : 'float32') : b;
  if (a.dataType !== right.dataType)
    throw graphError(opType, 'operands of one type', `${a.dataType} and ${right.dataType} (${a.name}, ${right.name})`);
  return oneOutput(opType, [a, right], broadcastShapes(opType, a.shape, right.shape));
}

export const add = (a: Value, b: Operand): Value => binary('Add', a, b);
export const subtract = (a: Value, b: Operand): Value => binary('Sub', a, b);
export const multiply = (a: Value, b: Operand): Value => binary('Mul', a, b);
export const divide = (a: Value, b: Operand): Value => binary('Div', a, b);
/** Each element of a, but at least b. */
export const atLeast = (a: Value, b: Operand): Value => binary('Max', a, b);

const unary =
  (opType: string) =>
  (x: Value): Value =>
    oneOutput(opType, [x], x.shape);

export const absolute = unary('Abs');
export const exponential = unary('Exp');
export const logarithm = unary('Log');
export const relu = unary('Relu');
export const sigmoid = unary('Sigmoid');
export const sign = unary('Sign');
export const squareRoot = unary('Sqrt');
export const negate = unary('Neg');
/** x * Phi(x) with the exact normal distribution (erf), as PyTorch's nn.GELU(). */
export const gelu = unary('Gelu');

export function cast(x: Value, dataType: DataType): Value {
  if (x.dataType === dataType) return x;
  return x.graph.node('Cast', [x], [{ dataType, shape: x.shape }], { to: { int: dataTypeCode(dataType) } })[0]!;
}
