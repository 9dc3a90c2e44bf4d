import { VprError, type VprErrorCode } from '../core/VprError.js';

/** The error of an image, with its origin where one is known. */
export function imageError(code: VprErrorCode, sentence: string, where: string, cause?: unknown): VprError {
  return new VprError(code, where === '' ? sentence : `${sentence} [${where}]`, cause === undefined ? {} : { cause });
}
