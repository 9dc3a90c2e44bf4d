import type { Pose } from '../core/pose.js';
import type { Background } from './BackgroundSample.js';
import type { Candidate, Neighbourhood } from './Candidate.js';
import { chooseHypothesis } from './chooseHypothesis.js';
import { confidenceOf, thresholdsFor, type ConfidenceModel } from './ConfidenceModel.js';
import { weighEvidence, zScore, type Evidence, type TemporalEvidence } from './Evidence.js';
import type { GeometricCheck } from './GeometricCheck.js';
import { PlaceFilter } from './PlaceFilter.js';
import type { RecognizerSettings } from './RecognizerSettings.js';

/** The candidates of one image and what is known of the map that they come from. */
export interface WeighedQuery {
  /** Best first. */
  readonly candidates: readonly Candidate[];
  readonly background: Background | undefined;
  /** References in the map. */
  readonly references: number;
}

export interface QueryMotion {
  readonly elapsedS: number;
  /** lastFromNow by odometry, where there is some. */
  readonly odometry?: Pose;
  /** Distance between neighbouring references, metres. */
  readonly spacingM: number;
}

/** A probability for the best candidate. */
export interface Weighed {
  /** Of one image alone, or with the temporal filter. */
  readonly kind: 'single' | 'temporal';
  readonly candidates: readonly Candidate[];
  /** z-score of each candidate's similarity. */
  readonly zScores: readonly number[];
  /** Of the reported candidate; absent without candidates. */
  readonly evidence?: Evidence;
  /** Of the most similar candidate, without the filter. */
  readonly single?: Evidence;
  readonly confidence: number;
  /** Of the image alone. */
  readonly singleConfidence: number;
  /** Confidence from which it is accepted. */
  readonly threshold: number;
  /** Confidence from which it is what the odometry of later images is measured from. */
  readonly anchorThreshold: number;
  /** What the pictures say, where they were compared. */
  readonly geometry?: GeometricCheck;
  /** The evidence without them would have been enough. */
  readonly plausible?: boolean;
  /** Weight of each candidate for the confidences of the others, >= 0. */
  readonly shares: Float64Array;
}

/** Candidates to a probability: evidence of the image, evidence of the images before it, calibration. */
export class EvidenceWeigher {
  readonly #confidence: ConfidenceModel;
  readonly #filter = new PlaceFilter();

  constructor(confidence: ConfidenceModel) {
    this.#confidence = confidence;
  }

  /** Forgets the images so far. */
  reset(): void {
    this.#filter.reset();
  }

  /** The answer of this image alone. */
  weighSingle(query: WeighedQuery, settings: RecognizerSettings): Weighed {
    const zScores = query.candidates.map(({ similarity }) => zScore(similarity, query.background));
    const { offset, slope } = this.#confidence.likelihood;
    const shares = Float64Array.from(zScores, (z) => Math.exp(offset + slope * z));
    const weighed = this.#weigh(query, settings, { chosen: 0, kind: 'single', shares, zScores });
    return weighed.evidence === undefined ? weighed : { ...weighed, single: weighed.evidence };
  }

  /** The answer with the temporal filter, where it is on. To be called once for each image of the stream. */
  weigh(query: WeighedQuery, motion: QueryMotion, settings: RecognizerSettings): Weighed {
    const alone = this.weighSingle(query, settings);
    if (settings.temporalFilter === 'none') return alone;
    const { candidates } = query;
    const { zScores } = alone;
    const { offset, slope } = this.#confidence.likelihood;
    const belief = this.#filter.update(
      candidates.map(({ reference, headingUnknown }, i) => ({
        reference,
        ...(headingUnknown === undefined ? {} : { headingUnknown }),
        logLikelihoodRatio: offset + slope * zScores[i]!,
      })),
      query.references,
      motion,
      { ...settings, spacingM: motion.spacingM },
    );
    if (alone.single === undefined) return alone;
    const { sighting, ...chosen } = chooseHypothesis(belief, candidates.length, neighbourhoodOf(settings));
    const hasPose = candidates[sighting]!.reference.pose !== undefined;
    const temporal = { ...chosen, guided: hasPose && motion.odometry !== undefined };
    const shares = Float64Array.from(candidates, (_, i) => belief.hypotheses[i]!.mass);
    const weighed = this.#weigh(query, settings, { chosen: sighting, kind: 'temporal', shares, zScores, temporal });
    return { ...weighed, single: alone.single, singleConfidence: alone.confidence };
  }

  #weigh(
    { candidates, background, references }: WeighedQuery,
    settings: RecognizerSettings,
    how: {
      readonly chosen: number;
      readonly kind: Weighed['kind'];
      readonly shares: Float64Array;
      readonly zScores: readonly number[];
      readonly temporal?: TemporalEvidence;
    },
  ): Weighed {
    const { chosen, kind, shares, zScores, temporal } = how;
    const calibrator = this.#confidence[kind];
    const thresholds = thresholdsFor(calibrator.thresholds, settings);
    if (candidates.length === 0)
      return { kind, candidates, zScores, confidence: 0, singleConfidence: 0, ...thresholds, shares };
    const evidence = weighEvidence({
      candidates,
      chosen,
      background,
      references,
      neighbourhood: neighbourhoodOf(settings),
      ...(temporal === undefined ? {} : { temporal }),
    });
    const confidence = confidenceOf(calibrator, evidence.features);
    return { kind, candidates, zScores, evidence, confidence, singleConfidence: confidence, ...thresholds, shares };
  }
}

/** What counts as one place. */
export function neighbourhoodOf(
  settings: Pick<RecognizerSettings, 'neighbourhoodM' | 'neighbourhoodPlaces'>,
): Neighbourhood {
  return { distanceM: settings.neighbourhoodM, places: settings.neighbourhoodPlaces };
}
