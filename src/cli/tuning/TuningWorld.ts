import type { BinaryCode } from '../../core/binaryCode.js';
import type { Descriptor } from '../../core/descriptor.js';
import type { NewReference } from '../../core/reference.js';
import type { StampedImage } from '../../core/StampedImage.js';
import type { KeyPoints } from '../../geometry/KeyPoints.js';
import type { DescribedQuery } from '../../recognizer/PlaceRecognizer.js';

/** right: the place; wrong: another one; unclear: too near to the rule's border to judge by it. */
export type Verdict = 'right' | 'wrong' | 'unclear';

export interface TuningQuery {
  /** Without pixels: stamp, camera, odometry. */
  readonly image: StampedImage;
  readonly described: DescribedQuery;
  /** For comparing it with references; absent where that is not fitted. */
  readonly keyPoints?: KeyPoints;
}

/** References and queries with ground truth, described once: what a confidence is fitted on. */
export interface TuningWorld {
  readonly name: string;
  readonly dimension: number;
  readonly references: readonly NewReference[];
  /** Of the references' thumbnails, by index; absent: none. */
  readonly referenceKeyPoints?: readonly (KeyPoints | undefined)[];
  readonly queries: readonly TuningQuery[];
  /** Codes of queries as the references have them; absent: those that the model made. */
  readonly encode?: (descriptor: Descriptor) => BinaryCode;
  verdict(query: number, reference: number): Verdict;
}
