import type { BinaryCode } from '../core/binaryCode.js';
import type { Descriptor } from '../core/descriptor.js';
import type { RgbImage } from '../core/image.js';
import type { Pose } from '../core/pose.js';
import type { Recognition } from '../core/recognition.js';
import { NO_PLACE, type PlaceId, type ReferenceId } from '../core/reference.js';
import type { StampedImage } from '../core/StampedImage.js';
import { VprError } from '../core/VprError.js';
import type { Extraction } from '../inference/DescriptorExtractor.js';
import { DamagedReference } from '../core/DamagedReference.js';
import type { PlaceMap } from '../map/PlaceMap.js';
import type { ExcludedIds, PlaceSearch } from '../search/PlaceSearch.js';
import { BackgroundSample } from './BackgroundSample.js';
import { composeAnswer, type Answer } from './composeAnswer.js';
import type { ConfidenceModel } from './ConfidenceModel.js';
import { EvidenceWeigher, type Weighed, type WeighedQuery } from './EvidenceWeigher.js';
import { withGeometry, type GeometricChecker } from './GeometricCheck.js';
import { OdometryTrack } from './OdometryTrack.js';
import { PlaceJudge, type JudgedImage } from './PlaceJudge.js';
import type { Judgement } from './PlaceTracker.js';
import { RecentReferences } from './RecentReferences.js';
import type { RecognizerSettings } from './RecognizerSettings.js';
import { ReferenceCache } from './ReferenceCache.js';
import { StreamClock } from './StreamClock.js';

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
  /** Names of the robot's cameras. */
  readonly cameras?: readonly string[];
  readonly mode: 'localization' | 'mapping' | 'slam';
  /** Compares pictures where `geometricCheck` is set; absent: nothing can. */
  readonly geometry?: GeometricChecker;
  /** Absent in localization mode. */
  readonly keyframes?: KeyframeStore;
  /**
   * Hears why an image did not become a reference (disk full), and of a reference that is damaged and left out: the answer
   * is not lost for it. Absent: `recognize` throws it.
   */
  readonly onMapError?: (error: VprError) => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** What one image said, before it is decided; for fitting the confidence. */
export interface Observation {
  readonly weighed: Weighed;
  readonly image: JudgedImage;
}

/** Candidates that the decision looks at; the answer shows the first topK of them. */
const CONSIDERED = 50;
/** Spacing assumed for covariances and motion where the map has no poses, metres. */
const UNKNOWN_SPACING_M = 1;

/**
 * Image in, place hypothesis out: describe, search, weigh, judge, answer, grow. Holds what lasts from image to image: the
 * filter's belief, the state, odometry, recent references. One caller at a time.
 */
export class PlaceRecognizer {
  readonly #parts: RecognizerParts;
  readonly #references: ReferenceCache;
  readonly #background = new BackgroundSample();
  readonly #weigher: EvidenceWeigher;
  readonly #judge: PlaceJudge;
  readonly #recent = new RecentReferences();
  readonly #odometry = new OdometryTrack();
  readonly #clock = new StreamClock();
  /** References that were added before the first image: they are as old as it. */
  #early: ReferenceId[] = [];
  /** References that could not be read: they are not searched any more. */
  readonly #damaged = new Set<ReferenceId>();
  #settings: RecognizerSettings;
  /** Time of the last image that the belief knows of. */
  #lastNs: bigint | undefined;
  /** An odometry topic is there: an image without it has none. */
  #hasOdometry = false;

  constructor(parts: RecognizerParts) {
    this.#parts = parts;
    this.#settings = parts.settings;
    this.#references = new ReferenceCache(parts.map, parts.map.sessionCameras(), parts.cameras);
    this.#weigher = new EvidenceWeigher(parts.confidence);
    this.#judge = new PlaceJudge(parts.mode);
  }

  /** Hears every image's evidence; for `vpr tune`. */
  onObservation: ((observation: Observation) => void) | undefined;

  setSettings(settings: RecognizerSettings): void {
    this.#settings = settings;
  }

  /** Forgets belief, state and odometry (`~/localize`, jumps in time), not what back ends rejected. */
  resetFilter(): void {
    this.#weigher.reset();
    this.#judge.reset();
    this.#odometry.reset();
    this.#lastNs = undefined;
  }

  mutedPlaces(): readonly PlaceId[] {
    const { nowNs } = this.#clock;
    return nowNs === undefined ? [] : this.#judge.mutedPlaces(nowNs);
  }

  /** A back end's verdict on a closure with this reference. Throws ARGUMENT_INVALID where the map has none of that id. */
  reportClosure(referenceId: ReferenceId, queryStampNs: bigint, accepted: boolean): void {
    const { map } = this.#parts;
    const placeId = map.placeOf(referenceId);
    if (placeId === NO_PLACE)
      throw new VprError('ARGUMENT_INVALID', `Expected a reference of the map, got ${referenceId} [${map.path}]`);
    this.#judge.report(placeId, accepted, this.#clock.nowNs ?? queryStampNs, this.#settings);
  }

  /** One image of the stream. Throws IMAGE_* for a bad image, which leaves everything as it was. */
  async recognize(image: StampedImage): Promise<Recognition> {
    const { now, mode } = this.#parts;
    const startMs = now();
    const query = await this.#parts.describe(image);
    const { timeNs, jumped } = this.#clock.advance(image.camera, image.stampNs);
    if (jumped) this.resetFilter();
    for (const id of this.#early) this.#recent.add(id, timeNs);
    this.#early = [];
    const searchStartMs = now();
    const excluded = mode === 'localization' ? [] : this.#recent.excluded(timeNs, this.#settings.excludeRecentS);
    const found = this.#search(query, image.camera, excluded, CONSIDERED);
    const decisionStartMs = now();
    const odometry = this.#odometryOf(image);
    const motion = this.#odometry.advance(odometry);
    const elapsedS = this.#lastNs === undefined ? 0 : Number(timeNs - this.#lastNs) / 1e9;
    this.#lastNs = timeNs;
    const spacingM = this.#spacingM();
    const weighed = await this.#compare(
      query,
      image,
      this.#weigher.weigh(
        found,
        { elapsedS, spacingM, ...(motion === undefined ? {} : { odometry: motion }) },
        this.#settings,
      ),
    );
    const judged: JudgedImage = {
      timeNs,
      drivenM: this.#odometry.drivenM,
      spacingM,
      excluded: excluded.length > 0,
      ...(odometry === undefined ? {} : { odometry }),
      ...(image.pose === undefined ? {} : { pose: image.pose }),
    };
    this.onObservation?.({ weighed, image: judged });
    const judgement = this.#judge.judge(weighed, judged, this.#settings);
    const answer = composeAnswer(image, weighed, judgement, {
      settings: this.#settings,
      topK: this.#settings.topK,
      spacingM,
      closing: ({ placeId }) => {
        if (mode === 'mapping') return 'none';
        return this.#judge.trySend(placeId, timeNs, this.#settings) ? 'send' : 'debounced';
      },
    });
    const decidedMs = now();
    const added = await this.#grow(image, query, answer).catch((error: unknown) => {
      const { onMapError } = this.#parts;
      if (!(error instanceof VprError) || onMapError === undefined) throw error;
      onMapError(error);
      return undefined;
    });
    return {
      ...answer,
      ...(added === undefined ? {} : { addedReferenceId: added }),
      latency: {
        decodeMs: query.decodeMs,
        inferenceMs: query.inferenceMs,
        searchMs: decisionStartMs - searchStartMs,
        decisionMs: decidedMs - decisionStartMs,
        totalMs: now() - startMs,
      },
    };
  }

  /** One image outside the stream: no filter, no state, no growth; k candidates. */
  async query(image: StampedImage, k: number): Promise<Recognition> {
    const { now } = this.#parts;
    const startMs = now();
    const query = await this.#parts.describe(image);
    const searchStartMs = now();
    const found = this.#search(query, image.camera, [], Math.max(k, CONSIDERED));
    const decisionStartMs = now();
    const weighed = await this.#compare(query, image, this.#weigher.weighSingle(found, this.#settings));
    const judgement: Judgement =
      weighed.confidence >= weighed.threshold
        ? { state: 'candidate', accepted: true, rejectReason: 'none' }
        : {
            state: 'unknown',
            accepted: false,
            rejectReason: found.candidates.length === 0 ? 'empty_map' : 'low_confidence',
          };
    const spacingM = this.#spacingM();
    const answer = composeAnswer(image, weighed, judgement, {
      settings: this.#settings,
      topK: k,
      spacingM,
      closing: () => 'none',
    });
    return {
      ...answer,
      latency: {
        decodeMs: query.decodeMs,
        inferenceMs: query.inferenceMs,
        searchMs: decisionStartMs - searchStartMs,
        decisionMs: now() - decisionStartMs,
        totalMs: now() - startMs,
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
    if (image.odometry !== undefined && !this.#hasOdometry) {
      // The map's frame and the odometry's are not one: what was measured in the first says nothing in the other.
      this.#hasOdometry = true;
      this.#odometry.reset();
      this.#judge.forgetAnchor();
    }
    if (this.#hasOdometry || this.#parts.mode === 'localization') return image.odometry;
    return image.pose;
  }

  #spacingM(): number {
    return this.#references.spacingM() ?? UNKNOWN_SPACING_M;
  }

  /** Searches until what was found can be read: one damaged reference must not silence all others. */
  #search(
    query: { readonly code: BinaryCode; readonly descriptor: Descriptor },
    camera: string,
    excluded: ExcludedIds,
    count: number,
  ): WeighedQuery {
    for (;;) {
      try {
        return this.#searchOnce(query, camera, excluded, count);
      } catch (error) {
        const { onMapError, search } = this.#parts;
        if (!(error instanceof DamagedReference) || onMapError === undefined) throw error;
        if (this.#damaged.has(error.referenceId)) throw error;
        this.#damaged.add(error.referenceId);
        search.remove(error.referenceId);
        onMapError(error);
      }
    }
  }

  #searchOnce(
    query: { readonly code: BinaryCode; readonly descriptor: Descriptor },
    camera: string,
    excluded: ExcludedIds,
    count: number,
  ): WeighedQuery {
    const { map, search } = this.#parts;
    const references = search.size;
    const background = this.#background.measure(query.descriptor, map, excluded, this.#damaged);
    if (references === 0) return { candidates: [], background, references };
    const k = Math.max(count, this.#settings.topK);
    const shortlist = Math.max(this.#settings.shortlist, k);
    const found = search.search(query.code, query.descriptor, { k, shortlist, excluded });
    const records = Array.from(found.referenceIds, (referenceId) => this.#references.get(referenceId));
    const candidates = records.map((reference, i) => ({
      reference,
      hamming: found.hamming[i]!,
      similarity: found.similarity[i]!,
      ...(this.#references.isOfOtherCamera(reference, camera) ? { headingUnknown: true } : {}),
    }));
    return { candidates, background, references };
  }

  /** The evidence with what the pictures of query and reported reference say, where they are to be asked. */
  async #compare(query: DescribedQuery, { camera }: StampedImage, weighed: Weighed): Promise<Weighed> {
    const { geometry, confidence } = this.#parts;
    if (!this.#settings.geometricCheck || geometry === undefined || weighed.evidence === undefined) return weighed;
    const check = await geometry.check(query, camera, weighed.evidence.best.reference);
    return withGeometry(weighed, check, confidence, this.#settings);
  }

  async #grow(image: StampedImage, query: DescribedQuery, answer: Answer): Promise<ReferenceId | undefined> {
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
    // By the stream's time also where the image came in a request: its stamp may be of another clock.
    const { nowNs } = this.#clock;
    if (nowNs === undefined) this.#early.push(added.referenceId);
    else this.#recent.add(added.referenceId, nowNs);
    // Its camera is one of this session from now on.
    this.#references.get(added.referenceId);
    this.#judge.noteReference(added.referenceId, this.#odometry.drivenM);
    return added;
  }
}
