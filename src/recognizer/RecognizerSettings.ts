/** Targets of the acceptance threshold, as false-positive rates. */
export type Preset = 'precision' | 'balanced' | 'recall';

/** What can be tuned while the recognizer runs; names, units and defaults as in the parameter table. */
export interface RecognizerSettings {
  readonly shortlist: number;
  readonly topK: number;
  readonly preset: Preset;
  /** 0: as the preset says. */
  readonly acceptanceProbability: number;
  readonly minMargin: number;
  readonly geometricCheck: boolean;
  readonly temporalFilter: 'bayes' | 'none';
  readonly kidnapProbability: number;
  readonly maxSpeedMps: number;
  readonly confirmImages: number;
  readonly lostAfterImages: number;
  readonly neighbourhoodM: number;
  readonly neighbourhoodPlaces: number;
  readonly excludeRecentS: number;
  readonly loopClosureDebounceS: number;
  readonly loopClosureMuteAfterRejections: number;
  readonly loopClosureMuteS: number;
  readonly odometryGate: number;
  readonly odometryDrift: number;
  readonly covariancePositionFloorM: number;
  readonly covarianceAngleFloorDeg: number;
}
