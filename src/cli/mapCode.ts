import { CODE_BYTES, type BinaryCode } from '../core/binaryCode.js';
import type { Descriptor } from '../core/descriptor.js';
import { sameBinarizer, type MapBinarizer } from '../map/MapMeta.js';
import { PlaceMap } from '../map/PlaceMap.js';
import { combineMaps, type CombineOptions } from '../mapping/combineMaps.js';
import { fitMapProjection, type MapFitOptions } from '../onnx/hashing/fitMapProjection.js';
import { mapEncoder } from '../worker/mapEncoder.js';
import type { Option } from './Command.js';
import { createMatrixProduct } from './createMatrixProduct.js';

/** Which code a map gets, or a set is judged with. */
export const CODES_OPTION = {
  type: 'string',
  default: 'map',
  choices: ['map', 'model'],
  description: "map: 512-bit codes fitted to the references' own descriptors (16 or more); model: as the model makes them",
} as const satisfies Option;

/** Descriptors that a fit uses at most, spread over the map. */
export const MOST_DESCRIPTORS = 8192;

/** A code of one map: what the map keeps of it, and the rule. */
export interface MapCode {
  readonly binarizer: MapBinarizer & { readonly kind: 'projection' };
  readonly encode: (descriptor: Descriptor) => BinaryCode;
  /** Of the iterative quantization, for maps that are large enough for it: before the first and after the last rotation. */
  readonly quantizationError?: readonly [number, number];
}

/** Fits a code to descriptors [n, D]. Throws ARGUMENT_INVALID for fewer than 16. */
export async function fitMapCode(
  descriptors: Float32Array,
  dimension: number,
  options: MapFitOptions = {},
): Promise<MapCode> {
  const fitted = await fitMapProjection(descriptors, dimension, createMatrixProduct(), options);
  const { projection, mean, quantizationError } = fitted;
  const binarizer = { kind: 'projection', projection, mean } as const;
  return {
    binarizer,
    encode: mapEncoder({ binarizer, descriptorDimension: dimension })!,
    ...(quantizationError === undefined ? {} : { quantizationError }),
  };
}

/** Codes [n, 64] of descriptors [n, D]. */
export function encodeAll(descriptors: Float32Array, dimension: number, { encode }: Pick<MapCode, 'encode'>): Uint8Array {
  const n = descriptors.length / dimension;
  const codes = new Uint8Array(n * CODE_BYTES);
  for (let i = 0; i < n; i++)
    codes.set(encode(descriptors.subarray(i * dimension, (i + 1) * dimension)), i * CODE_BYTES);
  return codes;
}

/** At most `most` of n descriptors, evenly strided: their rows. */
function spreadRows(n: number, most: number): number[] {
  const count = Math.min(most, n);
  return Array.from({ length: count }, (_, i) => Math.floor((i * n) / count));
}

/** At most `most` rows of descriptors [n, D], spread evenly. */
export function sampleRows(descriptors: Float32Array, dimension: number, most = MOST_DESCRIPTORS): Float32Array {
  const rows = spreadRows(descriptors.length / dimension, most);
  const sample = new Float32Array(rows.length * dimension);
  rows.forEach((row, i) => sample.set(descriptors.subarray(row * dimension, (row + 1) * dimension), i * dimension));
  return sample;
}

/** Descriptors of at most `most` references, spread evenly over maps of one dimension: [n, D]. */
function sampleMaps(maps: readonly PlaceMap[], most: number): Float32Array {
  const { dimension } = maps[0]!;
  const ends: number[] = [];
  let total = 0;
  for (const map of maps) ends.push((total += map.size));
  const rows = spreadRows(total, most);
  const sample = new Float32Array(rows.length * dimension);
  let done = 0;
  maps.forEach((map, m) => {
    const start = ends[m]! - map.size;
    const ids = Uint32Array.from(
      rows.filter((row) => row >= start && row < ends[m]!),
      (row) => map.referenceIds[row - start]!,
    );
    map.readDescriptors(ids, sample.subarray(done * dimension, (done + ids.length) * dimension));
    done += ids.length;
  });
  return sample;
}

function openAll(files: readonly string[]): PlaceMap[] {
  const maps: PlaceMap[] = [];
  try {
    for (const file of files) maps.push(PlaceMap.open(file, 'read'));
    return maps;
  } catch (error) {
    maps.forEach((map) => map.close());
    throw error;
  }
}

/**
 * The code that maps which become one can share: undefined where they have the same, else one fitted to all of them.
 * Maps of other models are left to what combines them.
 */
export async function commonCodeOf(files: readonly string[], options: MapFitOptions = {}): Promise<MapCode | undefined> {
  const maps = openAll(files);
  try {
    const [first, ...others] = maps as [PlaceMap, ...PlaceMap[]];
    if (others.every((other) => sameBinarizer(first.meta.binarizer, other.meta.binarizer))) return undefined;
    if (others.some(({ meta }) => meta.modelSha256 !== first.meta.modelSha256)) return undefined;
    return await fitMapCode(sampleMaps(maps, MOST_DESCRIPTORS), first.dimension, options);
  } finally {
    maps.forEach((map) => map.close());
  }
}

/** The options with which combineMaps gives its result this code; none: it stays as it is. */
export function recodedBy(code: MapCode | undefined): Pick<CombineOptions, 'meta' | 'encode'> {
  return code === undefined ? {} : { meta: { binarizer: code.binarizer }, encode: code.encode };
}

export interface RefitOptions extends MapFitOptions {
  readonly most?: number;
  readonly target: CombineOptions['target'];
  readonly onRecoded?: (done: number, total: number) => void;
}

/** Fits a code to a map and writes the map with it, every reference recoded. Throws what fitting and writing maps throw. */
export async function refitMap(
  file: string,
  output: string,
  { most = MOST_DESCRIPTORS, target, onRecoded, ...options }: RefitOptions,
): Promise<MapCode & { readonly references: number; readonly fittedOn: number }> {
  const [map] = openAll([file]) as [PlaceMap];
  const { dimension } = map;
  let descriptors: Float32Array;
  try {
    descriptors = sampleMaps([map], most);
  } finally {
    map.close();
  }
  const code = await fitMapCode(descriptors, dimension, options);
  const { references } = combineMaps([{ file }], output, {
    associate: 'none',
    target,
    ...recodedBy(code),
    ...(onRecoded === undefined ? {} : { onProgress: onRecoded }),
  });
  return { ...code, references, fittedOn: descriptors.length / dimension };
}
