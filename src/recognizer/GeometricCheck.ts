import type { Quaternion } from '../core/pose.js';
import type { Reference } from '../core/reference.js';
import { confidenceWithGeometry, thresholdsFor, type ConfidenceModel } from './ConfidenceModel.js';
import type { Weighed } from './EvidenceWeigher.js';
import type { DescribedQuery } from './PlaceRecognizer.js';
import type { RecognizerSettings } from './RecognizerSettings.js';

/** What the pictures of a query and a reference say about each other, beyond their descriptors. */
export interface GeometricCheck {
  /** Key points of both that agree on one relative view. */
  readonly inliers: number;
  /**
   * Turn of the query's camera relative to the reference's, in axes of the camera's body (x forward, y left, z up), where
   * both focal lengths are known and enough key points agree.
   */
  readonly rotation?: Quaternion;
}

/** Compares pictures: of the query, and of a reference as the map keeps it. */
export interface GeometricChecker {
  /** camera: the query's. Undefined where nothing can be compared: no thumbnail, or pictures with too little in them. */
  check(query: DescribedQuery, camera: string, reference: Reference): Promise<GeometricCheck | undefined>;
}

/**
 * The evidence with what the pictures say as one more input to the probability. A confidence that was fitted without it stays as it is.
 */
export function withGeometry(
  weighed: Weighed,
  check: GeometricCheck | undefined,
  model: ConfidenceModel,
  settings: Pick<RecognizerSettings, 'acceptanceProbability' | 'preset'>,
): Weighed {
  if (check === undefined) return weighed;
  const term = model.geometry?.[weighed.kind];
  if (term === undefined) return { ...weighed, geometry: check };
  return {
    ...weighed,
    geometry: check,
    confidence: confidenceWithGeometry(term, weighed.confidence, check.inliers),
    ...thresholdsFor(term.thresholds, settings),
    plausible: weighed.confidence >= weighed.threshold,
  };
}
