import type { Pose } from '../core/pose.js';
import type { StampedPose } from './readPose.js';

const FIRST_ROWS = 16;
/** Position and orientation. */
const NUMBERS = 7;

/** Stamped poses of one frame in another, 64 bytes each; as objects they would take 400, and a drive has millions. */
export class PoseColumns {
  /** Rows in use. */
  #count = 0;
  #stampsNs = new BigInt64Array(FIRST_ROWS);
  /** [rows, 7]. */
  #numbers = new Float64Array(FIRST_ROWS * NUMBERS);

  add(stampNs: bigint, { position, orientation }: Pose): void {
    if (this.#count === this.#stampsNs.length) {
      const [stampsNs, numbers] = [this.#stampsNs, this.#numbers];
      this.#stampsNs = new BigInt64Array(2 * stampsNs.length);
      this.#stampsNs.set(stampsNs);
      this.#numbers = new Float64Array(2 * numbers.length);
      this.#numbers.set(numbers);
    }
    this.#stampsNs[this.#count] = stampNs;
    this.#numbers.set(position, this.#count * NUMBERS);
    this.#numbers.set(orientation, this.#count * NUMBERS + position.length);
    this.#count++;
  }

  clear(): void {
    this.#count = 0;
  }

  /** In the order in which they were added. */
  stamped(frameId: string, childFrameId: string): (StampedPose & { readonly pose: Pose })[] {
    return Array.from({ length: this.#count }, (_, row) => {
      const number = (i: number): number => this.#numbers[row * NUMBERS + i]!;
      const pose: Pose = {
        position: [number(0), number(1), number(2)],
        orientation: [number(3), number(4), number(5), number(6)],
      };
      return { stampNs: this.#stampsNs[row]!, frameId, childFrameId, pose };
    });
  }
}
