import type { NodeParameters } from '../config/parseParameters.js';
import type { RecognizerSettings } from '../recognizer/RecognizerSettings.js';

/** The part of the node's parameters that the recognizer itself reads. */
export function recognizerSettings(parameters: NodeParameters): RecognizerSettings {
  // The names are the same on purpose: one word for one thing, from the parameter file to the method.
  return parameters;
}
