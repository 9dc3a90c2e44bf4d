import { fitLogistic } from '../../evaluation/fitLogistic.js';
import {
  confidenceOf,
  confidenceWithGeometry,
  geometryFeatures,
  type Calibrator,
  type GeometryTerm,
} from '../../recognizer/ConfidenceModel.js';
import type { TuningEvidence } from './fitConfidence.js';
import type { JudgedEvidence } from './playWorld.js';
import { presetThresholds } from './presetThresholds.js';

/** Compared answers of each kind, right and wrong, below which nothing is fitted. */
const LEAST = 50;

/**
 * What agreeing key points add to a calibrated confidence, on the answers that could be compared. Undefined where they are
 * too few, or where more agreeing key points would speak against a place (an accident of the data).
 */
export function fitGeometry(
  { own, strange, settings }: TuningEvidence,
  kind: 'single' | 'temporal',
  calibrator: Pick<Calibrator, 'weights' | 'isotonic'>,
): GeometryTerm | undefined {
  const data = own.flatMap(({ images }) =>
    images.flatMap((image) => {
      const seen = image[kind];
      if (seen?.inliers === undefined || seen.verdict === 'unclear' || image.truth === 'unclear') return [];
      const features = geometryFeatures(confidenceOf(calibrator, seen.evidence.features), seen.inliers);
      return [{ features, label: seen.verdict === 'right' }];
    }),
  );
  const right = data.filter(({ label }) => label).length;
  if (Math.min(right, data.length - right) < LEAST) return undefined;
  const weights = Array.from(fitLogistic(data));
  if (!(weights[1]! > 0) || !(weights[2]! > 0)) return undefined;
  const confidenceIn = ({ evidence, inliers }: JudgedEvidence): number | undefined =>
    inliers === undefined
      ? undefined
      : confidenceWithGeometry({ weights }, confidenceOf(calibrator, evidence.features), inliers);
  return { weights, thresholds: presetThresholds([...own, ...strange], kind, confidenceIn, settings) };
}
