import { PlaceMap } from '../../map/PlaceMap.js';
import type { ConfidenceModel } from '../../recognizer/ConfidenceModel.js';
import type { Evidence } from '../../recognizer/Evidence.js';
import { PlaceRecognizer, type Observation } from '../../recognizer/PlaceRecognizer.js';
import type { RecognizerSettings } from '../../recognizer/RecognizerSettings.js';
import type { Recognition } from '../../core/recognition.js';
import type { ReferenceId } from '../../core/reference.js';
import { createPlaceSearch } from '../../search/createPlaceSearch.js';
import type { TuningWorld, Verdict } from './TuningWorld.js';

/** What one query of a world said, and what was true. */
export interface LabelledEvidence {
  readonly world: string;
  readonly query: number;
  /** The map shows the query's place. */
  readonly answerable: boolean;
  /** Absent where the ground truth cannot tell whether the answer is right. */
  readonly single?: { readonly features: Float64Array; readonly right: boolean };
  readonly temporal?: { readonly features: Float64Array; readonly right: boolean };
  /** z-scores of candidates that are the place, and of those that are not. */
  readonly zRight: readonly number[];
  readonly zWrong: readonly number[];
  readonly recognition: Recognition;
}

export interface EvidenceRun {
  readonly settings: RecognizerSettings;
  readonly confidence: ConfidenceModel;
  /** References that are left out of the map: an open world. */
  readonly without?: (reference: number) => boolean;
}

/** Every second of six stretches in a row of references: a third of the map, so that queries drive in and out of it. */
export function aThird(references: number): (reference: number) => boolean {
  return (reference) => [1, 4].includes(Math.floor((6 * reference) / references));
}

/**
 * Plays a world's queries, in their order, against a map of its references. Queries that the ground truth cannot judge
 * (`unclear`) are played but left out of the answer.
 */
export async function collectEvidence(world: TuningWorld, run: EvidenceRun): Promise<LabelledEvidence[]> {
  const map = PlaceMap.createTemporary({
    modelName: 'tuning',
    modelSha256: '0'.repeat(64),
    descriptorDimension: world.dimension,
    storage: 'f32',
    mapFrame: 'map',
    poseKind: 'mapFromBase',
    childFrame: '',
    binarizer: { kind: 'model' },
  });
  try {
    const kept = world.references.map((_, index) => index).filter((index) => run.without?.(index) !== true);
    map.beginSession('tuning', world.name);
    const ids = map.appendReferences(kept.map((index) => world.references[index]!));
    const indexOf = new Map<ReferenceId, number>(ids.map((id, i) => [id, kept[i]!]));
    const search = createPlaceSearch({ store: map });
    for (const { referenceIds, codes } of map.codes()) search.addBlock(referenceIds, codes);
    let asked = 0;
    const recognizer = new PlaceRecognizer({
      describe: () => Promise.resolve(world.queries[asked]!.described),
      map,
      search,
      confidence: run.confidence,
      settings: run.settings,
      mode: 'localization',
      now: () => 0,
    });
    let observation: Observation | undefined;
    recognizer.onObservation = (seen) => {
      observation = seen;
    };
    const evidence: LabelledEvidence[] = [];
    for (; asked < world.queries.length; asked++) {
      const query = asked;
      const recognition = await recognizer.recognize(world.queries[query]!.image);
      const verdictOf = (id: ReferenceId): Verdict => world.verdict(query, indexOf.get(id)!);
      const verdicts = kept.map((reference) => world.verdict(query, reference));
      const answerable = verdicts.includes('right');
      const { single, temporal, candidates, zScores } = observation!;
      if (single === undefined || (!answerable && verdicts.includes('unclear'))) continue;
      const judged = (name: 'single' | 'temporal', seen: Evidence | undefined) => {
        const verdict = seen === undefined ? 'unclear' : verdictOf(seen.best.reference.referenceId);
        return verdict === 'unclear' ? {} : { [name]: { features: seen!.features, right: verdict === 'right' } };
      };
      evidence.push({
        world: world.name,
        query,
        answerable,
        ...judged('single', single),
        ...judged('temporal', temporal),
        zRight: zScores.filter((_, i) => verdictOf(candidates[i]!.reference.referenceId) === 'right'),
        zWrong: zScores.filter((_, i) => verdictOf(candidates[i]!.reference.referenceId) === 'wrong'),
        recognition,
      });
    }
    await search.close();
    return evidence;
  } finally {
    map.close();
  }
}
