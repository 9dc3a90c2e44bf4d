import { IDENTITY_POSE, type Pose } from '../core/pose.js';
import type { LoopClosure, PlaceCandidate, Recognition } from '../core/recognition.js';
import { NO_PLACE, type Reference } from '../core/reference.js';
import type { StampedImage } from '../core/StampedImage.js';
import { areNeighbours } from './Candidate.js';
import { neighbourhoodOf, type Weighed } from './EvidenceWeigher.js';
import type { GeometricCheck } from './GeometricCheck.js';
import { matchCovariance, type CovarianceInputs } from './matchCovariance.js';
import type { Judgement } from './PlaceTracker.js';
import type { RecognizerSettings } from './RecognizerSettings.js';

/** Standard deviation of a turn that was measured, degrees: bench/confidence. */
const MEASURED_ANGLE_DEG = 3;

export type Answer = Omit<Recognition, 'latency'>;

export interface AnswerContext {
  readonly settings: RecognizerSettings;
  /** Candidates in the answer. */
  readonly topK: number;
  /** Distance between neighbouring references, metres. */
  readonly spacingM: number;
  /** Asked for an accepted place of a localized robot: a closure goes out, has just gone out, or is none of this mode. */
  readonly closing: (reference: Reference) => 'send' | 'debounced' | 'none';
}

/** A decision in the words of the result message. */
export function composeAnswer(
  image: StampedImage,
  weighed: Weighed,
  judgement: Judgement,
  { settings, topK, spacingM, closing }: AnswerContext,
): Answer {
  const { evidence, confidence } = weighed;
  const best = evidence?.best.reference;
  const common = {
    stampNs: image.stampNs,
    camera: image.camera,
    frameId: image.frameId,
    name: image.name,
    state: judgement.state,
    placeId: best?.placeId ?? NO_PLACE,
    referenceId: best?.referenceId ?? 0,
    label: best?.label ?? '',
    confidence,
    margin: evidence?.margin ?? 0,
    accepted: judgement.accepted,
    rejectReason: judgement.rejectReason,
    candidates: topCandidates(weighed, settings, topK),
    ...(weighed.geometry === undefined ? {} : { inliers: weighed.geometry.inliers }),
  };
  if (!judgement.accepted || best === undefined) return common;
  const inputs = {
    spacingM,
    confidence,
    neighbourhoodM: settings.neighbourhoodM,
    positionFloorM: settings.covariancePositionFloorM,
    angleFloorDeg: settings.covarianceAngleFloorDeg,
  };
  const closure = judgement.state === 'localized' ? closing(best) : 'none';
  return {
    ...common,
    rejectReason: closure === 'debounced' ? 'debounced' : 'none',
    ...(best.pose === undefined ? {} : { pose: poseAt(best.pose, evidence?.best.headingUnknown === true, inputs) }),
    ...(closure === 'send'
      ? { loopClosure: closureTo(best, image, { confidence, ...relativePose(inputs, weighed.geometry) }) }
      : {}),
  };
}

/** The robot's pose: where the reference was taken. */
function poseAt(
  mapFromBase: Pose,
  headingUnknown: boolean,
  inputs: CovarianceInputs,
): NonNullable<Recognition['pose']> {
  const covariance = matchCovariance({ ...inputs, headingUnknown });
  return { mapFromBase, covariance, ...(headingUnknown ? { headingUnknown } : {}) };
}

/** How the query's camera stood to the reference's: measured, or "the same place". */
function relativePose(
  inputs: CovarianceInputs,
  geometry: GeometricCheck | undefined,
): Pick<LoopClosure, 'relativePose' | 'covariance' | 'verified'> {
  if (geometry?.rotation === undefined)
    return { relativePose: IDENTITY_POSE, covariance: matchCovariance(inputs), verified: false };
  return {
    relativePose: { position: IDENTITY_POSE.position, orientation: geometry.rotation },
    covariance: matchCovariance({ ...inputs, angleFloorDeg: MEASURED_ANGLE_DEG }),
    verified: true,
  };
}

function closureTo(
  reference: Reference,
  image: StampedImage,
  certainty: Pick<LoopClosure, 'confidence' | 'relativePose' | 'covariance' | 'verified'>,
): LoopClosure {
  return {
    queryStampNs: image.stampNs,
    camera: image.camera,
    frameId: image.frameId,
    referenceId: reference.referenceId,
    referenceStampNs: reference.stampNs,
    referenceSession: reference.sessionId,
    referenceCamera: reference.camera,
    placeId: reference.placeId,
    ...(reference.pose === undefined ? {} : { referencePose: reference.pose }),
    ...certainty,
  };
}

/** The chosen one's neighbours share its confidence; what is left of 1 goes to the others by their weight. */
function topCandidates(weighed: Weighed, settings: RecognizerSettings, topK: number): PlaceCandidate[] {
  const { candidates, evidence, confidence, shares } = weighed;
  if (evidence === undefined) return [];
  const neighbourhood = neighbourhoodOf(settings);
  const near = candidates.map(({ reference }) => areNeighbours(evidence.best.reference, reference, neighbourhood));
  const others = shares.reduce((sum, share, i) => sum + (near[i] === true ? 0 : share), 0);
  return candidates.slice(0, topK).map(({ reference, hamming, similarity }, i) => ({
    referenceId: reference.referenceId,
    placeId: reference.placeId,
    hamming,
    similarity,
    confidence:
      near[i] === true ? confidence : ((1 - confidence) * shares[i]!) / Math.max(others, 1e-12, 1 - confidence),
    ...(reference.pose === undefined ? {} : { pose: reference.pose }),
  }));
}
