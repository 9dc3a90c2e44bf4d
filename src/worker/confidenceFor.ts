import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { PlaceMap } from '../map/PlaceMap.js';
import { GENERIC_CONFIDENCE, parseConfidenceModel, type ConfidenceModel } from '../recognizer/ConfidenceModel.js';

/** Prior of a model, beside its manifest; written by `vpr tune`. */
export const CALIBRATION_FILE = 'calibration.json';

/**
 * The confidence model to use: the map's own where one was fitted on it, else the model's prior, else the generic one.
 * One that was fitted for another model is passed over. Throws CALIBRATION_INVALID.
 */
export function confidenceFor(
  map: Pick<PlaceMap, 'meta' | 'path'>,
  modelFolder: string,
  modelSha256: string,
): ConfidenceModel {
  const fits = (model: ConfidenceModel): boolean => model.modelSha256 === '' || model.modelSha256 === modelSha256;
  if (map.meta.calibration !== undefined) {
    const own = parseConfidenceModel(map.meta.calibration, map.path);
    if (fits(own)) return own;
  }
  const file = path.join(modelFolder, CALIBRATION_FILE);
  if (existsSync(file)) {
    const prior = parseConfidenceModel(readFileSync(file, 'utf8'), file);
    if (fits(prior)) return prior;
  }
  return GENERIC_CONFIDENCE;
}
