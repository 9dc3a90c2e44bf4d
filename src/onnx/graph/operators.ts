export { expectRank, expectShape, expectType, graphError, showShape } from './operators/check.js';
export * from './operators/elementwise.js';
export * from './operators/linear.js';
export * from './operators/reduce.js';
export * from './operators/shape.js';
