import type { BinaryCode } from '../core/binaryCode.js';
import type { Descriptor } from '../core/descriptor.js';
import type { RgbImage } from '../core/image.js';
import { composePoses, distanceBetween, IDENTITY_POSE, invertPose, type Pose } from '../core/pose.js';
import type { LoopClosure, PlaceCandidate, Recognition, RejectReason } from '../core/recognition.js';
import { NO_PLACE, type PlaceId, type Reference, type ReferenceId } from '../core/reference.js';
import type { StampedImage } from '../core/StampedImage.js';
import type { Extraction } from '../inference/DescriptorExtractor.js';
import type { PlaceMap } from '../map/PlaceMap.js';
import type { PlaceSearch } from '../search/PlaceSearch.js';
import { BackgroundSample, type Background } from './BackgroundSample.js';
import { areNeighbours, type Candidate, type Neighbourhood } from './Candidate.js';
import { ClosureGate } from './ClosureGate.js';
import { confidenceOf, logit, type Calibrator, type ConfidenceModel } from './ConfidenceModel.js';
import { weighEvidence, zScore, type Evidence } from './Evidence.js';
import { matchCovariance } from './matchCovariance.js';
import { OdometryTrack } from './OdometryTrack.js';
import { PlaceFilter } from './PlaceFilter.js';
import { PlaceTracker, type Judgement } from './PlaceTracker.js';
import { RecentReferences } from './RecentReferences.js';
import type { RecognizerSettings } from './RecognizerSettings.js';
import { ReferenceCache } from './ReferenceCache.js';

/** An image that has been looked at: pixels for a thumbnail, descriptor and code for the search. */
export interface DescribedQuery extends Extraction {
  readonly pixels: RgbImage;
  readonly decodeMs: number;
  readonly inferenceMs: number;
}

/** What makes references of images, in mapping and slam mode. */
export interface KeyframeStore {
  isKeyframe(image: StampedImage, descriptor: Descriptor): boolean;
  /** Stores the image as a reference. placeId 0: as the grouping says. */
  add(
    image: StampedImage,
    query: DescribedQuery,
    placeId: PlaceId,
  ): Promise<{ referenceId: ReferenceId; placeId: PlaceId }>;
}

export interface RecognizerParts {
  /** Decode, resize, run the network. Throws IMAGE_* and MODEL_OUTPUT_INVALID. */
  describe(image: StampedImage): Promise<DescribedQuery>;
  readonly map: PlaceMap;
  readonly search: PlaceSearch;
  readonly confidence: ConfidenceModel;
  readonly settings: RecognizerSettings;
  readonly mode: 'localization' | 'mapping' | 'slam';
  /** Absent in localization mode. */
  readonly keyframes?: KeyframeStore;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** What one image said, before it is decided; for fitting the confidence. */
export interface Observation {
  readonly candidates: readonly Candidate[];
  /** Best by similarity alone, without the filter. */
  readonly single?: Evidence;
  /** Best by the filter. */
  readonly temporal?: Evidence;
  /** z-score of each candidate. */
  readonly zScores: readonly number[];
}

/** Candidates that the decision looks at; the answer shows the first topK of them. */
const CONSIDERED = 50;
/** A stamp this far before the last one is a jump in time (a bag that starts again), not jitter between cameras. */
const JUMP_BACK_NS = 1_000_000_000n;
/** Confidence from which a rejected place is still called a candidate. */
const LIKELY = 0.5;
/** Spacing assumed for covariances and motion where the map has no poses, metres. */
const UNKNOWN_SPACING_M = 1;

/**
 * Image in, place hypothesis out: describe, search, filter, decide. Holds what lasts from image to image: the filter's
 * belief, the state, odometry, recent references. One caller at a time.
 */
export class PlaceRecognizer {
  readonly #parts: RecognizerParts;
  readonly #references: ReferenceCache;
  readonly #background = new BackgroundSample();
  readonly #filter = new PlaceFilter();
  readonly #tracker = new PlaceTracker();
  readonly #closures = new ClosureGate();
  readonly #recent = new RecentReferences();
  readonly #odometry = new OdometryTrack();
  #settings: RecognizerSettings;
  #lastStampNs: bigint | undefined;
  #lastAccepted:
    { readonly reference: Reference; readonly odometry: Pose | undefined; readonly drivenM: number } | undefined;
  #drivenAtReference = new Map<ReferenceId, number>();

  constructor(parts: RecognizerParts) {
    this.#parts = parts;
    this.#settings = parts.settings;
    this.#references = new ReferenceCache(parts.map);
  }

  /** Hears every image's evidence; for `vpr tune`. */
  onObservation: ((observation: Observation) => void) | undefined;

  setSettings(settings: RecognizerSettings): void {
    this.#settings = settings;
  }

  /** Takes over what a back end said, when the map is swapped for another. */
  resetFilter(): void {
    this.#filter.reset();
    this.#tracker.reset();
    this.#odometry.reset();
    this.#closures.resetTimes();
    this.#lastAccepted = undefined;
    this.#lastStampNs = undefined;
  }

  mutedPlaces(): readonly PlaceId[] {
    return this.#lastStampNs === undefined ? [] : this.#closures.mutedPlaces(this.#lastStampNs);
  }

  reportClosure(referenceId: ReferenceId, queryStampNs: bigint, accepted: boolean): void {
    const placeId = this.#parts.map.placeOf(referenceId);
    if (placeId !== NO_PLACE)
      this.#closures.report(placeId, accepted, this.#lastStampNs ?? queryStampNs, this.#gateSettings());
  }

  /** One image of the stream. Throws IMAGE_* for a bad image, which leaves everything as it was. */
  async recognize(image: StampedImage): Promise<Recognition> {
    const startMs = this.#parts.now();
    const query = await this.#parts.describe(image);
    this.#noticeJumps(image.stampNs);
    const searchStartMs = this.#parts.now();
    const { candidates, excluded } = this.#search(query, image);
    const background = this.#background.measure(query.descriptor, this.#parts.map);
    const decisionStartMs = this.#parts.now();
    const motion = this.#odometry.advance(this.#odometryOf(image));
    const elapsedS = this.#lastStampNs === undefined ? 0 : Math.max(0, Number(image.stampNs - this.#lastStampNs) / 1e9);
    this.#lastStampNs = image.stampNs;
    const weighed = this.#weigh(candidates, background, {
      elapsedS,
      ...(motion === undefined ? {} : { odometry: motion }),
    });
    const judgement = this.#judge(weighed, image, excluded);
    const answer = this.#answer(image, weighed, judgement, { topK: this.#settings.topK, closes: true });
    const decidedMs = this.#parts.now();
    const added = await this.#grow(image, query, answer);
    return {
      ...answer,
      ...(added === undefined ? {} : { addedReferenceId: added }),
      latency: {
        decodeMs: query.decodeMs,
        inferenceMs: query.inferenceMs,
        searchMs: decisionStartMs - searchStartMs,
        decisionMs: decidedMs - decisionStartMs,
        totalMs: this.#parts.now() - startMs,
      },
    };
  }

  /** One image outside the stream: no filter, no state, no growth; k candidates. */
  async query(image: StampedImage, k: number): Promise<Recognition> {
    const startMs = this.#parts.now();
    const query = await this.#parts.describe(image);
    const searchStartMs = this.#parts.now();
    const candidates = this.#candidates(query.code, query.descriptor, [], Math.max(k, CONSIDERED));
    const background = this.#background.measure(query.descriptor, this.#parts.map);
    const decisionStartMs = this.#parts.now();
    const weighed = this.#weighSingle(candidates, background);
    const confident = weighed.confidence >= weighed.threshold;
    const judgement: Judgement = confident
      ? { state: 'candidate', accepted: true, rejectReason: 'none' }
      : { state: 'unknown', accepted: false, rejectReason: candidates.length === 0 ? 'empty_map' : 'low_confidence' };
    const answer = this.#answer(image, weighed, judgement, { topK: k, closes: false });
    return {
      ...answer,
      latency: {
        decodeMs: query.decodeMs,
        inferenceMs: query.inferenceMs,
        searchMs: decisionStartMs - searchStartMs,
        decisionMs: this.#parts.now() - decisionStartMs,
        totalMs: this.#parts.now() - startMs,
      },
    };
  }

  /** Makes the image a reference now, whatever the key frame rule says. */
  async addPlace(image: StampedImage, placeId: PlaceId): Promise<{ referenceId: ReferenceId; placeId: PlaceId }> {
    const { keyframes } = this.#parts;
    if (keyframes === undefined) throw new TypeError('addPlace needs a recognizer with a key frame store');
    return this.#store(keyframes, image, await this.#parts.describe(image), placeId);
  }

  /** While a map is built its poses come from the odometry; in localization a pose is what is asked for, not known. */
  #odometryOf(image: StampedImage): Pose | undefined {
    return image.odometry ?? (this.#parts.mode === 'localization' ? undefined : image.pose);
  }

  #noticeJumps(stampNs: bigint): void {
    if (this.#lastStampNs === undefined || stampNs >= this.#lastStampNs - JUMP_BACK_NS) return;
    this.resetFilter();
    this.#recent.clear();
  }

  #search(query: DescribedQuery, image: StampedImage): { candidates: Candidate[]; excluded: boolean } {
    const excluded =
      this.#parts.mode === 'localization' ? [] : this.#recent.excluded(image.stampNs, this.#settings.excludeRecentS);
    return {
      candidates: this.#candidates(query.code, query.descriptor, excluded, CONSIDERED),
      excluded: excluded.length > 0,
    };
  }

  #candidates(
    code: BinaryCode,
    descriptor: Descriptor,
    excluded: readonly (readonly [ReferenceId, ReferenceId])[],
    count: number,
  ): Candidate[] {
    if (this.#parts.search.size === 0) return [];
    const k = Math.max(count, this.#settings.topK);
    const found = this.#parts.search.search(code, descriptor, {
      k,
      shortlist: Math.max(this.#settings.shortlist, k),
      excluded,
    });
    return Array.from(found.referenceIds, (referenceId, i) => ({
      reference: this.#references.get(referenceId),
      hamming: found.hamming[i]!,
      similarity: found.similarity[i]!,
    }));
  }

  #neighbourhood(): Neighbourhood {
    return { distanceM: this.#settings.neighbourhoodM, places: this.#settings.neighbourhoodPlaces };
  }

  /** The answer of this image alone. */
  #weighSingle(candidates: readonly Candidate[], background: Background | undefined): Weighed {
    return this.#weighOne(candidates, background, 0, this.#parts.confidence.single);
  }

  #weighOne(
    candidates: readonly Candidate[],
    background: Background | undefined,
    chosen: number,
    calibrator: Calibrator,
    temporalLogOdds?: number,
  ): Weighed {
    const threshold = this.#settings.acceptanceProbability || calibrator.thresholds[this.#settings.preset];
    if (candidates.length === 0)
      return {
        candidates,
        evidence: undefined,
        confidence: 0,
        singleConfidence: 0,
        threshold,
        shares: new Float64Array(0),
      };
    const evidence = weighEvidence({
      candidates,
      chosen,
      background,
      references: this.#parts.search.size,
      neighbourhood: this.#neighbourhood(),
      ...(temporalLogOdds === undefined ? {} : { temporalLogOdds }),
    });
    const confidence = confidenceOf(calibrator, evidence.features);
    const { offset, slope } = this.#parts.confidence.likelihood;
    const shares = Float64Array.from(candidates, ({ similarity }) =>
      Math.exp(offset + slope * zScore(similarity, background)),
    );
    return { candidates, evidence, confidence, singleConfidence: confidence, threshold, shares };
  }

  /** The answer with the temporal filter, where it is on. */
  #weigh(
    candidates: readonly Candidate[],
    background: Background | undefined,
    motion: { readonly elapsedS: number; readonly odometry?: Pose },
  ): Weighed {
    const single = this.#weighSingle(candidates, background);
    const { offset, slope } = this.#parts.confidence.likelihood;
    const zScores = candidates.map(({ similarity }) => zScore(similarity, background));
    if (this.#settings.temporalFilter === 'none') {
      this.onObservation?.({
        candidates,
        zScores,
        ...(single.evidence === undefined ? {} : { single: single.evidence }),
      });
      return single;
    }
    const belief = this.#filter.update(
      candidates.map(({ reference }, i) => ({ reference, logLikelihoodRatio: offset + slope * zScores[i]! })),
      this.#parts.search.size,
      motion,
      {
        kidnapProbability: this.#settings.kidnapProbability,
        maxSpeedMps: this.#settings.maxSpeedMps,
        odometryDrift: this.#settings.odometryDrift,
        spacingM: this.#references.spacingM() ?? UNKNOWN_SPACING_M,
      },
    );
    if (candidates.length === 0) {
      this.onObservation?.({ candidates, zScores });
      return single;
    }
    const { chosen, mass } = this.#heaviestNeighbourhood(candidates, belief.sightings);
    const logOdds = logit(Math.min(1 - 1e-6, Math.max(1e-6, mass)));
    const weighed = this.#weighOne(candidates, background, chosen, this.#parts.confidence.temporal, logOdds);
    this.onObservation?.({ candidates, zScores, single: single.evidence!, temporal: weighed.evidence! });
    return { ...weighed, singleConfidence: single.confidence, shares: belief.sightings };
  }

  /** The candidate whose neighbourhood the filter believes in most; in it, the heaviest; the mass of the neighbourhood. */
  #heaviestNeighbourhood(candidates: readonly Candidate[], masses: Float64Array): { chosen: number; mass: number } {
    const neighbourhood = this.#neighbourhood();
    const byMass = Array.from(masses.keys()).sort((a, b) => masses[b]! - masses[a]! || a - b);
    let chosen = 0;
    let best = -1;
    // The heaviest neighbourhood holds one of the heaviest candidates.
    for (const centre of byMass.slice(0, 5)) {
      let mass = 0;
      for (let i = 0; i < candidates.length; i++)
        if (areNeighbours(candidates[centre]!.reference, candidates[i]!.reference, neighbourhood)) mass += masses[i]!;
      if (mass > best * 1.05) {
        chosen = centre;
        best = mass;
      }
    }
    return { chosen, mass: best };
  }

  #judge(weighed: Weighed, image: StampedImage, excluded: boolean): Judgement {
    const { evidence, confidence, threshold } = weighed;
    const { lostAfterImages, minMargin } = this.#settings;
    const reject = (reason: RejectReason): Judgement =>
      this.#tracker.reject(
        reason,
        evidence !== undefined && confidence >= Math.min(LIKELY, threshold),
        lostAfterImages,
      );
    if (evidence === undefined) return reject(excluded ? 'recent' : 'empty_map');
    const { reference } = evidence.best;
    if (this.#closures.isMuted(reference.placeId, image.stampNs)) return reject('muted');
    if (confidence < threshold) return reject(this.#whyLow(weighed, evidence));
    if (evidence.margin < minMargin) return reject('ambiguous');
    if (!this.#agreesWithOdometry(reference, image)) return reject('odometry');
    const confirm = this.#settings.temporalFilter === 'none' ? 1 : this.#settings.confirmImages;
    const neighbourhood = this.#neighbourhood();
    const judgement = this.#tracker.accept(
      reference,
      // Between two accepted images the robot may have driven on: twice the neighbourhood.
      (last) =>
        areNeighbours(last, reference, { distanceM: neighbourhood.distanceM * 2, places: neighbourhood.places * 2 }),
      confirm,
    );
    if (judgement.accepted)
      this.#lastAccepted = { reference, odometry: this.#odometryOf(image), drivenM: this.#odometry.drivenM };
    return judgement;
  }

  #whyLow(weighed: Weighed, evidence: Evidence): RejectReason {
    if (weighed.singleConfidence >= weighed.threshold) return 'temporal';
    const [z, marginZ] = [evidence.features[2]!, evidence.features[3]!];
    return z > 2 && marginZ < 0.5 ? 'ambiguous' : 'low_confidence';
  }

  /**
   * localization: the accepted places must lie as far apart as the odometry between them. slam: reference and image have
   * poses of one drifting odometry, which may be off by its drift over the way driven between them.
   */
  #agreesWithOdometry(reference: Reference, image: StampedImage): boolean {
    const { odometryGate, odometryDrift } = this.#settings;
    if (odometryGate === 0 || reference.pose === undefined) return true;
    const spacing = (this.#references.spacingM() ?? UNKNOWN_SPACING_M) + this.#settings.covariancePositionFloorM;
    if (this.#parts.mode === 'slam' && image.pose !== undefined) {
      const drivenThen = this.#drivenAtReference.get(reference.referenceId);
      if (drivenThen === undefined) return true;
      const sigma = spacing + odometryDrift * (this.#odometry.drivenM - drivenThen);
      return distanceBetween(reference.pose, image.pose) <= odometryGate * sigma;
    }
    const last = this.#lastAccepted;
    const odometry = this.#odometryOf(image);
    if (last?.odometry === undefined || odometry === undefined || last.reference.pose === undefined) return true;
    const lastFromNow = composePoses(invertPose(last.odometry), odometry);
    const expected = composePoses(last.reference.pose, lastFromNow);
    const sigma = Math.SQRT2 * spacing + odometryDrift * (this.#odometry.drivenM - last.drivenM);
    const agrees = distanceBetween(expected, reference.pose) <= odometryGate * sigma;
    // A robot that was carried contradicts its odometry for ever: the belief must be won back by confirmation, once.
    if (!agrees && this.#tracker.state === 'lost') this.#lastAccepted = undefined;
    return agrees;
  }

  #answer(
    image: StampedImage,
    weighed: Weighed,
    judgement: Judgement,
    { topK, closes }: { readonly topK: number; readonly closes: boolean },
  ): Omit<Recognition, 'latency'> {
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
      candidates: this.#topCandidates(weighed, topK),
    };
    if (!judgement.accepted || best === undefined) return common;
    const covariance = matchCovariance({
      spacingM: this.#references.spacingM() ?? UNKNOWN_SPACING_M,
      confidence,
      neighbourhoodM: this.#settings.neighbourhoodM,
      positionFloorM: this.#settings.covariancePositionFloorM,
      angleFloorDeg: this.#settings.covarianceAngleFloorDeg,
    });
    const closure = closes ? this.#closure(image, best, confidence, covariance) : 'none';
    return {
      ...common,
      rejectReason: closure === 'debounced' ? 'debounced' : 'none',
      ...(best.pose === undefined ? {} : { pose: { mapFromBase: best.pose, covariance } }),
      ...(typeof closure === 'string' ? {} : { loopClosure: closure }),
    };
  }

  #closure(
    image: StampedImage,
    reference: Reference,
    confidence: number,
    covariance: Float64Array,
  ): LoopClosure | 'debounced' | 'none' {
    if (this.#parts.mode === 'mapping' || this.#tracker.state !== 'localized') return 'none';
    if (!this.#closures.trySend(reference.placeId, image.stampNs, this.#gateSettings())) return 'debounced';
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
      relativePose: IDENTITY_POSE,
      covariance,
      confidence,
      verified: false,
    };
  }

  /** The chosen one's neighbours share its confidence; what is left of 1 goes to the others by their weight. */
  #topCandidates(weighed: Weighed, topK: number): PlaceCandidate[] {
    const { candidates, evidence, confidence, shares } = weighed;
    if (evidence === undefined) return [];
    const neighbourhood = this.#neighbourhood();
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

  async #grow(
    image: StampedImage,
    query: DescribedQuery,
    answer: Omit<Recognition, 'latency'>,
  ): Promise<ReferenceId | undefined> {
    const { keyframes, mode } = this.#parts;
    if (keyframes === undefined || !keyframes.isKeyframe(image, query.descriptor)) return undefined;
    // A closed loop is the same place seen again: its reference joins the place.
    const placeId = mode === 'slam' && answer.accepted ? answer.placeId : NO_PLACE;
    return (await this.#store(keyframes, image, query, placeId)).referenceId;
  }

  async #store(
    keyframes: KeyframeStore,
    image: StampedImage,
    query: DescribedQuery,
    placeId: PlaceId,
  ): Promise<{ referenceId: ReferenceId; placeId: PlaceId }> {
    const added = await keyframes.add(image, query, placeId);
    this.#parts.search.add(added.referenceId, query.code);
    this.#recent.add(added.referenceId, image.stampNs);
    this.#drivenAtReference.set(added.referenceId, this.#odometry.drivenM);
    return added;
  }

  #gateSettings() {
    const { loopClosureDebounceS, loopClosureMuteAfterRejections, loopClosureMuteS } = this.#settings;
    return {
      debounceS: loopClosureDebounceS,
      muteAfterRejections: loopClosureMuteAfterRejections,
      muteS: loopClosureMuteS,
    };
  }
}

interface Weighed {
  readonly candidates: readonly Candidate[];
  readonly evidence: Evidence | undefined;
  readonly confidence: number;
  readonly singleConfidence: number;
  readonly threshold: number;
  /** Weight of each candidate for the confidences of the others, >= 0. */
  readonly shares: Float64Array;
}
