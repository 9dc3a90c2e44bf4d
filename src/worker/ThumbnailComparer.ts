import type { RgbImage } from '../core/image.js';
import { rotationQuaternion } from '../core/pose.js';
import type { Reference, ReferenceId } from '../core/reference.js';
import { VprError } from '../core/VprError.js';
import { compareViews, USUAL_FOCAL_LENGTH } from '../geometry/compareViews.js';
import { findKeyPoints } from '../geometry/findKeyPoints.js';
import type { KeyPoints } from '../geometry/KeyPoints.js';
import { bodyRotation } from '../geometry/RelativeView.js';
import { decodeImage } from '../image/decodeImage.js';
import { toGrey } from '../image/toGrey.js';
import type { PlaceMap } from '../map/PlaceMap.js';
import type { GeometricCheck, GeometricChecker } from '../recognizer/GeometricCheck.js';
import type { DescribedQuery } from '../recognizer/PlaceRecognizer.js';

/** Width at which pictures are compared: that of a map's thumbnails, whatever larger ones a map may keep. */
const WIDTH_PX = 160;
const KEY_POINTS = 200;
/** References whose key points are kept; each takes about 8 KiB. */
const KEPT = 4096;
/** Agreeing key points from which a turn counts as measured. */
export const LEAST_TO_MEASURE = 25;

/** Key points as pictures are compared by. */
export function keyPointsOf(picture: RgbImage): KeyPoints {
  return findKeyPoints(toGrey(picture, WIDTH_PX), KEY_POINTS);
}

/** Key points of a reference's thumbnail. Throws IMAGE_* where it is no picture. */
export async function keyPointsOfThumbnail(jpeg: Uint8Array, name: string): Promise<KeyPoints> {
  return keyPointsOf(await decodeImage({ kind: 'compressed', format: 'jpeg', data: jpeg }, name));
}

/** Compares queries with the thumbnails of a map. */
export class ThumbnailComparer implements GeometricChecker {
  readonly #map: Pick<PlaceMap, 'thumbnail'>;
  readonly #focalLengths: ReadonlyMap<string, number>;
  #kept = new Map<ReferenceId, KeyPoints | undefined>();

  /** focalLengths: of cameras by name, as parts of the picture's width; 0: unknown. */
  constructor(map: Pick<PlaceMap, 'thumbnail'>, focalLengths: ReadonlyMap<string, number>) {
    this.#map = map;
    this.#focalLengths = focalLengths;
  }

  async check(query: DescribedQuery, camera: string, reference: Reference): Promise<GeometricCheck | undefined> {
    const second = await this.#referenceKeyPoints(reference);
    if (second === undefined) return undefined;
    const known = [camera, reference.camera].map((name) => this.#focalLengths.get(name) ?? 0) as [number, number];
    const comparison = compareViews(
      keyPointsOf(query.pixels),
      second,
      known.map((value) => value || USUAL_FOCAL_LENGTH) as [number, number],
    );
    if (comparison === undefined) return undefined;
    const { inliers, view } = comparison;
    const isMeasured = view !== undefined && inliers >= LEAST_TO_MEASURE && known.every((value) => value > 0);
    return { inliers, ...(isMeasured ? { rotation: rotationQuaternion(bodyRotation(view)) } : {}) };
  }

  async #referenceKeyPoints({ referenceId, label }: Reference): Promise<KeyPoints | undefined> {
    if (this.#kept.has(referenceId)) return this.#kept.get(referenceId);
    const found = await this.#findKeyPoints(referenceId, label).catch((error: unknown) => {
      // A thumbnail that is damaged or no picture is as good as none: it is not the query's fault.
      if (error instanceof VprError) return undefined;
      throw error;
    });
    if (this.#kept.size >= KEPT) this.#kept = new Map();
    this.#kept.set(referenceId, found);
    return found;
  }

  async #findKeyPoints(referenceId: ReferenceId, label: string): Promise<KeyPoints | undefined> {
    const jpeg = this.#map.thumbnail(referenceId);
    return jpeg === undefined ? undefined : keyPointsOfThumbnail(jpeg, label);
  }
}
