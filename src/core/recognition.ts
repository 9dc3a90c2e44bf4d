import type { Pose } from './pose.js';
import type { PlaceId, ReferenceId } from './reference.js';

/**
 * unknown: never localized, or not enough evidence; candidate: a place is likely but not yet confirmed;
 * localized: this image's place is accepted; lost: was localized, then several images in a row were rejected.
 */
export type PlaceState = 'unknown' | 'candidate' | 'localized' | 'lost';

/** Why a place was not accepted; `none` when it was, or `debounced`: no closure goes out, as one to it just went. */
export type RejectReason =
  | 'none'
  | 'empty_map'
  | 'low_confidence'
  | 'ambiguous'
  | 'temporal'
  | 'odometry'
  | 'geometry'
  | 'recent'
  | 'debounced'
  | 'muted';

/** One reference of the top-k, best first. */
export interface PlaceCandidate {
  readonly referenceId: ReferenceId;
  readonly placeId: PlaceId;
  /** Bits that differ, 0...512. */
  readonly hamming: number;
  /** Dot product of the descriptors, -1...1. */
  readonly similarity: number;
  /** P(this candidate's place is right), 0...1. */
  readonly confidence: number;
  /** mapFromBase of the reference, where the map has one. */
  readonly pose?: Pose;
}

/** Milliseconds by stage, of one image. */
export interface StageLatency {
  readonly decodeMs: number;
  readonly inferenceMs: number;
  readonly searchMs: number;
  readonly decisionMs: number;
  /** From the moment the worker took the image to the answer. */
  readonly totalMs: number;
}

/** Relative pose and covariance of an accepted match. */
export interface LoopClosure {
  readonly queryStampNs: bigint;
  readonly camera: string;
  readonly frameId: string;
  readonly referenceId: ReferenceId;
  readonly referenceStampNs: bigint;
  readonly referenceSession: number;
  readonly referenceCamera: string;
  readonly placeId: PlaceId;
  readonly referencePose?: Pose;
  /**
   * referenceFromQuery, in axes of the cameras' bodies (x forward, y left, z up). Identity when not geometrically verified:
   * "the same place", with a covariance to match. Verified: the turn was measured; how far the cameras were apart cannot
   * be from one picture of each, so the position stays 0 with its covariance.
   */
  readonly relativePose: Pose;
  /** 6x6 row-major, [x, y, z, roll, pitch, yaw], m^2 and rad^2. */
  readonly covariance: Float64Array;
  readonly confidence: number;
  /** True only where the relative pose's turn was measured. */
  readonly verified: boolean;
}

/** Everything that is known of one processed image: PlaceMatch.msg in TypeScript. */
export interface Recognition {
  readonly stampNs: bigint;
  readonly camera: string;
  readonly frameId: string;
  readonly name: string;
  readonly state: PlaceState;
  /** The best place, accepted or not; NO_PLACE when there is none to name. */
  readonly placeId: PlaceId;
  /** Its best reference; 0 when there is none. */
  readonly referenceId: ReferenceId;
  readonly label: string;
  /** P(placeId is right | everything observed), 0...1. */
  readonly confidence: number;
  /** Similarity of the best candidate minus the best one outside its place's neighbourhood, 0...2. */
  readonly margin: number;
  /** True when the place is accepted by this image. */
  readonly accepted: boolean;
  readonly rejectReason: RejectReason;
  readonly candidates: readonly PlaceCandidate[];
  /** Key points of the image and of the best reference's thumbnail that agree; only where they were compared. */
  readonly inliers?: number;
  /** Only with `accepted`, where the reference has a pose. */
  readonly pose?: {
    readonly mapFromBase: Pose;
    readonly covariance: Float64Array;
    /** The reference was taken by another camera of the robot: it stands there, in which direction is not known. */
    readonly headingUnknown?: boolean;
  };
  /** Only when a closure is to be sent. */
  readonly loopClosure?: LoopClosure;
  /** The reference that this image became (mapping, slam), or none. */
  readonly addedReferenceId?: ReferenceId;
  readonly latency: StageLatency;
}
