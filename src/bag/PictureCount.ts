import type { VprErrorCode } from '../core/VprError.js';
import type { SourcePictures } from './ImageSource.js';

/** Counts the pictures that one iteration comes to. */
export class PictureCount implements SourcePictures {
  readonly #unreadable = new Map<VprErrorCode, number>();
  #met = 0;

  get met(): number {
    return this.#met;
  }

  get unreadable(): ReadonlyMap<VprErrorCode, number> {
    return this.#unreadable;
  }

  /** Position of the picture that comes next. */
  next(): number {
    return this.#met++;
  }

  addUnreadable(code: VprErrorCode): void {
    this.#unreadable.set(code, (this.#unreadable.get(code) ?? 0) + 1);
  }
}
