import { encodeModule, type EncodedModule } from '../../simd/encodeModule.js';
import { bitSlicedScan } from './bitSlicedKernel.js';
import { rowScan } from './rowKernel.js';
import { similarityFunctions } from './similarityKernel.js';

/** Every generated file of src/hamming, by the name of its constant: the one list that builds and checks them. */
export const KERNEL_SOURCES: Readonly<Record<string, () => EncodedModule>> = {
  bitSlicedCode: () => encodeModule([bitSlicedScan({ planesATurn: 128, ordered: false })]),
  orderedBitSlicedCode: () => encodeModule([bitSlicedScan({ planesATurn: 32, ordered: true })]),
  rowCode: () => encodeModule([rowScan()]),
  similarityCode: () => encodeModule(similarityFunctions()),
};
