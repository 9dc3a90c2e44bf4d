import type { Pose } from '../core/pose.js';
import type { PlaceId } from '../core/reference.js';
import type { DescriptorStorage } from './descriptorCodec.js';
import type { PoseKind } from './MapMeta.js';

/** Path of a map that has no file. */
export const TEMPORARY_MAP = ':memory:';

export interface MapSession {
  readonly sessionId: number;
  readonly name: string;
  /** Where the images came from: a bag, a folder, a node. */
  readonly source: string;
}

/** A place, with the pose of its first reference that has one. */
export interface MapPlace {
  readonly placeId: PlaceId;
  readonly label: string;
  readonly references: number;
  readonly pose?: Pose;
}

/** What a map is, in one record. */
export interface MapSummary {
  /** Absolute path, or TEMPORARY_MAP. */
  readonly path: string;
  readonly formatVersion: number;
  readonly references: number;
  readonly places: number;
  readonly sessions: number;
  readonly mapFrame: string;
  readonly poseKind: PoseKind;
  readonly modelName: string;
  readonly modelSha256: string;
  readonly descriptorDimension: number;
  readonly storage: DescriptorStorage;
  /** 0 for a map in memory. */
  readonly bytesOnDisk: number;
  /** JSON, or empty where the model's default applies. */
  readonly calibration: string;
}
