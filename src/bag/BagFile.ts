import type { VprError } from '../core/VprError.js';

/** A topic of a bag. Two entries may share a name when a bag holds several types under it. */
export interface BagTopic {
  readonly name: string;
  /** ROS 2 style: sensor_msgs/msg/Image. */
  readonly type: string;
  /** cdr, or ros1. */
  readonly encoding: string;
  readonly messageCount: number;
}

/** One serialised message. `data` is the reader's own memory: copy what is to outlive the next step of the iteration. */
export interface BagMessage {
  readonly topic: BagTopic;
  readonly logTimeNs: bigint;
  readonly data: Uint8Array;
}

/** Told of damage that does not end the reading: a chunk that is skipped, a file that ends early. */
export type ProblemListener = (problem: VprError) => void;

/** One open bag file of any storage. */
export interface BagFile {
  readonly path: string;
  readonly storage: 'mcap' | 'sqlite3' | 'ros1';
  readonly topics: readonly BagTopic[];
  /** Log times of the first and the last message; 0 when there are none. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  /**
   * Messages of these topics in log order. Memory is bounded by a few chunks, whatever the file's size.
   * Damage is told to `onProblem` and skipped; what is whole is read.
   */
  messages(topics: readonly BagTopic[], onProblem: ProblemListener): AsyncIterable<BagMessage>;
  close(): Promise<void>;
}
