import type { ReportData } from '../report/ReportData.js';
import type { DescribedSource } from './describeSource.js';

/** A matrix of more queries or references than this is more than a picture can show. */
export const MATRIX_LIMIT = 4000;

/** Dot products of every query with every reference. */
export function similarityMatrix(
  queries: Pick<DescribedSource, 'descriptors' | 'dimension'>,
  references: Pick<DescribedSource, 'descriptors' | 'dimension'>,
): NonNullable<ReportData['similarity']> {
  const { dimension } = queries;
  const rows = queries.descriptors.length / dimension;
  const columns = references.descriptors.length / dimension;
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let i = 0; i < dimension; i++)
        sum += queries.descriptors[row * dimension + i]! * references.descriptors[column * dimension + i]!;
      values[row * columns + column] = sum;
    }
  }
  return { queries: rows, references: columns, values };
}
