import type { ImageSource } from '../bag/ImageSource.js';
import { VprError, type VprErrorCode } from '../core/VprError.js';

/** Errors that are one image's fault. Anything else ends the work. */
const IMAGE_CODES: ReadonlySet<VprErrorCode> = new Set([
  'IMAGE_INVALID',
  'IMAGE_ENCODING_UNSUPPORTED',
  'IMAGE_TOO_LARGE',
  'MESSAGE_INVALID',
  'MODEL_OUTPUT_INVALID',
]);

export interface SkippedCounts {
  readonly skipped: number;
  readonly skippedByCode: Readonly<Record<string, number>>;
}

/** Counts the images of a source that could not be used. */
export class SkippedImages {
  readonly #byCode = new Map<VprErrorCode, number>();

  /** Counts what was thrown at an image and returns it; throws it again where it is not that image's fault. */
  add(error: unknown): VprError {
    if (!(error instanceof VprError) || !IMAGE_CODES.has(error.code)) throw error;
    this.#byCode.set(error.code, (this.#byCode.get(error.code) ?? 0) + 1);
    return error;
  }

  /** With what the source itself could not read: single pictures, and damaged parts of a file, which count one each. */
  countsWith({ pictures, problems }: ImageSource): SkippedCounts {
    const byCode = new Map(this.#byCode);
    const damage = [...problems.byCode].filter(([code]) => code.startsWith('BAG_'));
    for (const [code, count] of [...pictures.unreadable, ...damage]) byCode.set(code, (byCode.get(code) ?? 0) + count);
    return {
      skipped: [...byCode.values()].reduce((sum, count) => sum + count, 0),
      skippedByCode: Object.fromEntries([...byCode].sort()),
    };
  }
}
