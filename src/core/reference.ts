import type { BinaryCode } from './binaryCode.js';
import type { Descriptor } from './descriptor.js';
import type { Pose } from './pose.js';

/** u32, from 1. */
export type ReferenceId = number;
/** u32, from 1. */
export type PlaceId = number;
/** The place id that means "no place". */
export const NO_PLACE: PlaceId = 0;

/** What the map says of one reference image, without its vectors and thumbnail. */
export interface Reference {
  readonly referenceId: ReferenceId;
  readonly placeId: PlaceId;
  readonly sessionId: number;
  readonly label: string;
  readonly camera: string;
  readonly stampNs: bigint;
  /** mapFromBase (mapFromCamera where the map's meta says so), or none. */
  readonly pose?: Pose;
}

/** A reference image that is to be stored. */
export interface NewReference {
  readonly placeId: PlaceId;
  readonly label: string;
  readonly camera: string;
  readonly stampNs: bigint;
  readonly pose?: Pose;
  /** [512 / 8] bytes. */
  readonly code: BinaryCode;
  /** [D] f32, L2-normalised. */
  readonly descriptor: Descriptor;
  /** Small JPEG, or none. */
  readonly thumbnail?: Uint8Array;
}
