import type { NodeParameters } from '../config/parseParameters.js';
import type { MapBuilderOptions } from '../mapping/MapBuilder.js';

const DEGREE = Math.PI / 180;

/** Key frame selection and place grouping as the parameters say; batch: references that are committed together. */
export function mapBuilderOptions(parameters: NodeParameters, batch: number): MapBuilderOptions {
  return {
    keyframe: {
      distanceM: parameters.keyframeDistanceM,
      angleRad: parameters.keyframeAngleDeg * DEGREE,
      intervalS: parameters.keyframeIntervalS,
      maxSimilarity: parameters.keyframeMaxSimilarity,
    },
    place: {
      distanceM: parameters.placeDistanceM,
      angleRad: parameters.placeAngleDeg * DEGREE,
      images: parameters.placeImages,
    },
    batch,
  };
}
