import type { BinaryCode } from '../core/binaryCode.js';
import type { Descriptor } from '../core/descriptor.js';
import { ProjectionBinarizer } from '../inference/Binarizer.js';
import type { MapMeta } from '../map/MapMeta.js';

/** How descriptors become the codes of a map that has a projection of its own; undefined: the model's codes are the map's. */
export function mapEncoder({
  binarizer,
  descriptorDimension,
}: Pick<MapMeta, 'binarizer' | 'descriptorDimension'>): ((descriptor: Descriptor) => BinaryCode) | undefined {
  if (binarizer.kind === 'model') return undefined;
  const rule = new ProjectionBinarizer(binarizer.projection, descriptorDimension, binarizer.mean);
  return (descriptor) => rule.encode(descriptor);
}
