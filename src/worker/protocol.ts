import type { Pose } from '../core/pose.js';
import type { PlaceId, ReferenceId } from '../core/reference.js';
import type { Recognition } from '../core/recognition.js';
import type { StampedImage } from '../core/StampedImage.js';
import type { ModelManifest } from '../inference/ModelManifest.js';
import type { MapSummary } from '../map/mapTypes.js';

export { TEMPORARY_MAP } from '../map/mapTypes.js';
export type { MapSummary };

export type RecognizerMode = 'localization' | 'mapping' | 'slam';

/** What the worker opens at start. Everything tunable while it runs is in `parameters` (keys of the parameter table). */
export interface RecognizerStart {
  /** Folder with model.json. */
  readonly modelPath: string;
  /** Map to open; absent: an empty map in memory (mapping, slam), which `saveMap` writes. */
  readonly mapPath?: string;
  readonly mode: RecognizerMode;
  /** In order of preference; what really runs is in `RecognizerInfo.provider`. */
  readonly executionProviders: readonly string[];
  /** Values by parameter name (src/config); missing ones take the table's default. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface RecognizerInfo {
  readonly manifest: ModelManifest;
  readonly modelSha256: string;
  /** Execution provider that runs, and one sentence for each preferred one that does not. */
  readonly provider: string;
  readonly providerNotes: readonly string[];
  readonly map: MapSummary;
  readonly mode: RecognizerMode;
}

/** A reference for the map of all markers: places with poses. */
export interface PlaceSummary {
  readonly placeId: PlaceId;
  readonly label: string;
  readonly references: number;
  readonly pose?: Pose;
}

/**
 * The main thread's handle on the worker. Every method is a promise; a VprError of the worker arrives as the same VprError.
 * Calls are answered in order. An image's buffer is transferred, not copied: the caller must not use it afterwards.
 */
export interface Recognizer {
  readonly info: RecognizerInfo;
  /** One image of the stream: decode, describe, search, decide; grows the map in mapping and slam mode. */
  recognize(image: StampedImage): Promise<Recognition>;
  /** One image outside the stream: no temporal filter, no map growth. */
  query(image: StampedImage, k: number): Promise<Recognition>;
  /** Adds the image as a reference now; placeId 0 makes a new place. */
  addPlace(
    image: StampedImage,
    label: string,
    placeId: PlaceId,
  ): Promise<{ referenceId: ReferenceId; placeId: PlaceId }>;
  /** Opened aside, then swapped between two images; on error the old map stays. */
  loadMap(path: string): Promise<MapSummary>;
  /** Writes the map to a file (absent: flushes the open one); the target is complete or untouched. */
  saveMap(path?: string): Promise<MapSummary>;
  mapSummary(): Promise<MapSummary>;
  places(): Promise<readonly PlaceSummary[]>;
  /** JPEG, or undefined where the reference has none. */
  thumbnail(referenceId: ReferenceId): Promise<Uint8Array | undefined>;
  /** A back end's verdict on a closure; rejected ones count towards muting the place. ARGUMENT_INVALID: no such reference. */
  reportClosure(referenceId: ReferenceId, queryStampNs: bigint, accepted: boolean): Promise<void>;
  /** Places that are muted now because the back end rejected closures to them, ascending. */
  mutedPlaces(): Promise<readonly PlaceId[]>;
  /** Dynamic parameters only, already validated by src/config. */
  setParameters(values: Readonly<Record<string, unknown>>): Promise<void>;
  /** Forgets the temporal filter's belief (`~/localize`, jumps in time). */
  resetFilter(): Promise<void>;
  /** Flushes the map and ends the worker. */
  close(): Promise<void>;
}
