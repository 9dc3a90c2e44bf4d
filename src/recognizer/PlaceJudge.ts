import { composePoses, distanceBetween, IDENTITY_POSE, invertPose, type Pose } from '../core/pose.js';
import type { PlaceState, RejectReason } from '../core/recognition.js';
import type { PlaceId, Reference, ReferenceId } from '../core/reference.js';
import { areNeighbours, type Candidate } from './Candidate.js';
import { ClosureGate } from './ClosureGate.js';
import type { Evidence } from './Evidence.js';
import { FEATURES } from './Evidence.js';
import { neighbourhoodOf, type Weighed } from './EvidenceWeigher.js';
import { PlaceTracker, type Judgement } from './PlaceTracker.js';
import type { RecognizerSettings } from './RecognizerSettings.js';

/** What the decision needs to know of an image besides its evidence. */
export interface JudgedImage {
  /** Of the StreamClock. */
  readonly timeNs: bigint;
  /** slam: in the frame of the map's poses, which drifts with the odometry. */
  readonly pose?: Pose;
  /** odomFromBase. */
  readonly odometry?: Pose;
  /** Metres driven since the start. */
  readonly drivenM: number;
  /** Distance between neighbouring references, metres. */
  readonly spacingM: number;
  /** References were left out of the search because they are recent. */
  readonly excluded: boolean;
}

/** What an image says of its place. */
export type Claim = Pick<
  Weighed,
  'evidence' | 'confidence' | 'singleConfidence' | 'threshold' | 'anchorThreshold' | 'plausible'
>;

/** Confidence from which a rejected place is still called a candidate. */
const LIKELY = 0.5;
/** A contradiction lasts that is longer than so many times what makes a robot lost: no look-alike street is that long. */
const LASTING = 3;
const Z_SCORE = FEATURES.indexOf('zScore');
const MARGIN_Z = FEATURES.indexOf('marginZ');

/**
 * Accepts or rejects, with the reason: threshold, margin, muted places, odometry, confirmation by several images. Holds
 * the state and what back ends made of closures.
 */
export class PlaceJudge {
  readonly #mode: 'localization' | 'mapping' | 'slam';
  readonly #tracker = new PlaceTracker();
  /** What the state would be at the anchors' threshold. */
  readonly #anchors = new PlaceTracker();
  readonly #closures = new ClosureGate();
  readonly #drivenAtReference = new Map<ReferenceId, number>();
  /** Images in a row that are sure of a place which the odometry since then contradicts. */
  #contradictions = 0;
  /** Where the robot was last surely seen: what the odometry gate measures from. */
  #anchor: { readonly best: Candidate; readonly odometry: Pose | undefined; readonly drivenM: number } | undefined;

  constructor(mode: 'localization' | 'mapping' | 'slam') {
    this.#mode = mode;
  }

  get state(): PlaceState {
    return this.#tracker.state;
  }

  /** Forgets the stream so far, not what back ends rejected. */
  reset(): void {
    this.#tracker.reset();
    this.#anchors.reset();
    this.#closures.resetTimes();
    this.forgetAnchor();
  }

  /** The odometry is another one from now on. */
  forgetAnchor(): void {
    this.#anchor = undefined;
    this.#contradictions = 0;
  }

  /** A reference was made of the image that was taken after `drivenM` metres. */
  noteReference(referenceId: ReferenceId, drivenM: number): void {
    this.#drivenAtReference.set(referenceId, drivenM);
  }

  /** timeNs, here and below: of the StreamClock. */
  mutedPlaces(timeNs: bigint): PlaceId[] {
    return this.#closures.mutedPlaces(timeNs);
  }

  /** A back end's verdict on a closure. */
  report(placeId: PlaceId, accepted: boolean, timeNs: bigint, settings: RecognizerSettings): void {
    this.#closures.report(placeId, accepted, timeNs, gateSettings(settings));
  }

  /** True where a closure may go out now; then it counts as sent. */
  trySend(placeId: PlaceId, timeNs: bigint, settings: RecognizerSettings): boolean {
    return this.#closures.trySend(placeId, timeNs, gateSettings(settings));
  }

  judge(claim: Claim, image: JudgedImage, settings: RecognizerSettings): Judgement {
    const refusal = this.#refusal(claim, claim.threshold, image, settings);
    const refusalOfAnchor = this.#refusal(claim, claim.anchorThreshold, image, settings);
    // A robot that was carried contradicts its odometry for ever, a look-alike street for a while: the belief must be won
    // back by confirmation, once. A hunch on the way back ends the state 'lost', but not the contradiction.
    this.#contradictions = refusalOfAnchor === 'odometry' ? this.#contradictions + 1 : 0;
    const isLost = this.#contradictions > 0 && this.#anchors.state === 'lost';
    if (isLost || this.#contradictions > LASTING * settings.lostAfterImages) this.forgetAnchor();
    const { accepted } = follow(this.#anchors, claim, refusalOfAnchor, settings);
    if (accepted) {
      this.#anchor = { best: claim.evidence!.best, odometry: image.odometry, drivenM: image.drivenM };
    }
    return follow(this.#tracker, claim, refusal, settings);
  }

  /** Why the claim alone is not good enough; undefined: it is. */
  #refusal(
    claim: Claim,
    threshold: number,
    image: JudgedImage,
    settings: RecognizerSettings,
  ): RejectReason | undefined {
    const { evidence, confidence } = claim;
    if (evidence === undefined) return image.excluded ? 'recent' : 'empty_map';
    const { reference } = evidence.best;
    if (this.#closures.isMuted(reference.placeId, image.timeNs)) return 'muted';
    if (confidence < threshold) return whyLow(claim, evidence);
    if (evidence.margin < settings.minMargin) return 'ambiguous';
    return this.#agreesWithOdometry(reference, image, settings) ? undefined : 'odometry';
  }

  /**
   * localization: place and anchor must lie as far apart as the odometry between them. slam: reference and image have
   * poses of one drifting odometry, which may be off by its drift over the way driven between them.
   */
  #agreesWithOdometry(reference: Reference, image: JudgedImage, settings: RecognizerSettings): boolean {
    const { odometryGate, odometryDrift, covariancePositionFloorM } = settings;
    if (odometryGate === 0 || reference.pose === undefined) return true;
    const spacing = image.spacingM + covariancePositionFloorM;
    if (this.#mode === 'slam' && image.pose !== undefined) {
      const drivenThen = this.#drivenAtReference.get(reference.referenceId);
      if (drivenThen === undefined) return true;
      const sigma = spacing + odometryDrift * (image.drivenM - drivenThen);
      return distanceBetween(reference.pose, image.pose) <= odometryGate * sigma;
    }
    const last = this.#anchor;
    const lastPose = last?.best.reference.pose;
    if (last?.odometry === undefined || image.odometry === undefined || lastPose === undefined) return true;
    const lastFromNow = composePoses(invertPose(last.odometry), image.odometry);
    const sigma = Math.SQRT2 * spacing + odometryDrift * (image.drivenM - last.drivenM);
    // Of a heading that is not known the way tells how far, not in which direction.
    const deviation = last.best.headingUnknown
      ? Math.abs(distanceBetween(lastPose, reference.pose) - distanceBetween(IDENTITY_POSE, lastFromNow))
      : distanceBetween(composePoses(lastPose, lastFromNow), reference.pose);
    return deviation <= odometryGate * sigma;
  }
}

/** The tracker's next state. */
function follow(
  tracker: PlaceTracker,
  { evidence, confidence, threshold }: Claim,
  refusal: RejectReason | undefined,
  settings: RecognizerSettings,
): Judgement {
  if (evidence === undefined || refusal !== undefined) {
    const likely = evidence !== undefined && confidence >= Math.min(LIKELY, threshold);
    return tracker.reject(refusal ?? 'empty_map', likely, settings.lostAfterImages);
  }
  const { reference } = evidence.best;
  const confirm = settings.temporalFilter === 'none' ? 1 : settings.confirmImages;
  const { distanceM, places } = neighbourhoodOf(settings);
  // Between two accepted images the robot may have driven on: twice the neighbourhood.
  const reach = { distanceM: distanceM * 2, places: places * 2 };
  return tracker.accept(reference, (last) => areNeighbours(last, reference, reach), confirm);
}

function whyLow({ singleConfidence, threshold, plausible }: Claim, { features }: Evidence): RejectReason {
  if (plausible === true) return 'geometry';
  if (singleConfidence >= threshold) return 'temporal';
  return features[Z_SCORE]! > 2 && features[MARGIN_Z]! < 0.5 ? 'ambiguous' : 'low_confidence';
}

function gateSettings(settings: RecognizerSettings) {
  const { loopClosureDebounceS, loopClosureMuteAfterRejections, loopClosureMuteS } = settings;
  return {
    debounceS: loopClosureDebounceS,
    muteAfterRejections: loopClosureMuteAfterRejections,
    muteS: loopClosureMuteS,
  };
}
