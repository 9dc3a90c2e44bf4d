import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { MapSummary } from '../map/mapTypes.js';
import type { PlaceMap } from '../map/PlaceMap.js';
import {
  GENERIC_CONFIDENCE,
  isOutdatedConfidence,
  parseConfidenceModel,
  type ConfidenceModel,
} from '../recognizer/ConfidenceModel.js';

/** Prior of a model, beside its manifest; written by `vpr tune`. */
export const CALIBRATION_FILE = 'calibration.json';

/** A sentence where a map's own calibration is passed over because its version is older than the inputs of today. */
export function outdatedCalibration({
  calibration,
  path: file,
}: Pick<MapSummary, 'calibration' | 'path'>): string | undefined {
  if (calibration === '' || !isOutdatedConfidence(calibration)) return undefined;
  return `the map's own calibration is of an older version and is passed over, the model's is used: 'vpr tune' fits it anew [${file}]`;
}

/** What a map's own calibration was fitted on; empty where the map has none, "unnamed" where it does not say. */
export function calibrationName(calibration: string): string {
  if (calibration === '') return '';
  try {
    const { fittedOn } = JSON.parse(calibration) as { readonly fittedOn?: unknown };
    return typeof fittedOn === 'string' && fittedOn !== '' ? fittedOn : 'unnamed';
  } catch {
    // One of an older version is passed over, whatever it is: its map is open all the same.
    return 'unnamed';
  }
}

/**
 * The confidence model to use: the map's own where one was fitted on it, else the model's prior, else the generic one.
 * One that was fitted for another model, or for features of an older version, is passed over. Throws CALIBRATION_INVALID.
 */
export function confidenceFor(
  map: Pick<PlaceMap, 'meta' | 'path'>,
  modelFolder: string,
  modelSha256: string,
): ConfidenceModel {
  const fits = (model: ConfidenceModel): boolean => model.modelSha256 === '' || model.modelSha256 === modelSha256;
  const file = path.join(modelFolder, CALIBRATION_FILE);
  const sources = [
    [map.meta.calibration, map.path],
    [existsSync(file) ? readFileSync(file, 'utf8') : undefined, file],
  ] as const;
  for (const [json, where] of sources) {
    if (json === undefined || isOutdatedConfidence(json)) continue;
    const model = parseConfidenceModel(json, where);
    if (fits(model)) return model;
  }
  return GENERIC_CONFIDENCE;
}
