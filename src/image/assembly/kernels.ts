import { encodeModule, type EncodedModule } from '../../simd/encodeModule.js';
import { rowSums } from './rowSums.js';

/** Every generated file of src/image, by the name of its constant. */
export const IMAGE_KERNEL_SOURCES: Readonly<Record<string, () => EncodedModule>> = {
  rowSumsCode: () => encodeModule([rowSums()]),
};
